// The store that the configuration names, as one loop sees it.
#pragma once

#include <memory>

#include "proxy/app/shared_state.h"
#include "proxy/base/random.h"
#include "proxy/event/event_loop.h"
#include "proxy/ports/note_store.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"

namespace idem::app {

struct StoreClient {
  std::unique_ptr<ports::RecordStore> records;
  // The same object:
  ports::RateLimiter* limiter = nullptr;
  ports::RecordIndex* index = nullptr;
  ports::NoteStore* notes = nullptr;
};

/// For `loop`, on its thread; all arguments outlive it. An error says what is wrong and what to do;
/// a store that is only away is none. Of the clients of a process one `is_reporter`: it logs, and turns
/// the loop until its first attempt to connect has ended, because a server that is refused (a wrong
/// password, a cluster, one that may forget) stops a start, and all clients would find the same.
[[nodiscard]] Result<StoreClient> OpenStore(SharedState& shared, event::EventLoop& loop,
                                            Random& random, const store::StoreOptions& options,
                                            bool is_reporter);

}  // namespace idem::app

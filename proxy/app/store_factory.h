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
  std::unique_ptr<exchange::RecordStore> records;
  // The same object:
  exchange::RateLimiter* limiter = nullptr;
  exchange::RecordIndex* index = nullptr;
  exchange::Notes* notes = nullptr;
};

/// For `loop`, on its thread; all arguments outlive it. An error says what is wrong and what to do;
/// a store that is only away is none. Of the clients of a process one `speaks`: it logs, and turns
/// the loop until its first attempt to connect has ended, because a server that is refused (a wrong
/// password, a cluster, one that may forget) stops a start, and all clients would find the same.
[[nodiscard]] Result<StoreClient> OpenStore(Process& process, event::EventLoop& loop,
                                            Random& random, const store::StoreOptions& options,
                                            bool speaks);

}  // namespace idem::app

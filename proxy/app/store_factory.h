// Creates the client of the configured store for one loop.
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

/// Called on the thread of `loop`. All arguments outlive the client. An error says what is wrong
/// and what to do. An unreachable store is not an error.
///
/// One client of a process is the reporter. It logs, and it runs the loop until its first attempt
/// to connect has ended: a server that must be refused (wrong password, cluster, may forget) stops
/// the start, and all clients would find the same.
[[nodiscard]] Result<StoreClient> OpenStore(SharedState& shared, event::EventLoop& loop,
                                            Random& random, const store::StoreOptions& options,
                                            bool is_reporter);

}  // namespace idem::app

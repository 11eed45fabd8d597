// Resolves host names on a separate thread, because getaddrinfo blocks. libevent's resolver has no
// cache and has had bugs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"

namespace idem::event {

/// Shared by all workers of a process. It outlives every ticket that it gave; a loop may be
/// destroyed once the tickets of its callers are dropped.
/// - Literals and Unix paths are answered without the thread, also on a later turn.
/// - An answer is kept for 30 s, and refreshed in the background by a call after half of that time.
/// - If a look-up fails, the old answer is used for five minutes.
/// - At most 1,024 names are kept, and 64 calls wait.
/// The destructor waits for the look-up that runs.
class Resolver {
 public:
  using Found = Result<std::vector<SocketAddress>>;
  struct Options {
    Duration fresh = std::chrono::seconds(30);  // how long an answer is kept
    /// Blocks until a name is resolved, with port 0. Null uses the system's resolver.
    Function<Found(const std::string& name)> look_up = nullptr;
  };
  Resolver() : Resolver(Options()) {}
  explicit Resolver(Options options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using Answer = Found;  // never empty; in the system's order (RFC 6724)
  [[nodiscard]] Ticket Resolve(Loop& loop, const Endpoint& endpoint,
                               Function<void(Answer)> on_answer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace idem::event

// Names into addresses, on a thread of its own: getaddrinfo blocks, and libevent's own resolver has
// neither cache nor a good record (stack.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"

namespace idem::event {

/// Shared by all workers of a process. Literals and Unix paths are answered without the thread (on
/// a later turn all the same). A name's answer is kept for 30 s and refreshed in the background
/// when it is asked for after half of that; a look-up that fails keeps the old answer for five
/// minutes. At most 1,024 names and 64 questions wait. It outlives every ticket that it gave; a
/// loop may go as soon as the tickets of its askers are dropped. Its destructor waits for a look-up
/// that is under way.
class Resolver {
 public:
  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using Answer = Result<std::vector<SocketAddress>>;  // never empty; in the order of RFC 6724 as
                                                      // the system gives it
  [[nodiscard]] Ticket Resolve(Loop& loop, const Endpoint& endpoint,
                               Function<void(Answer)> on_answer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace idem::event

// Names into addresses, on a thread of its own: getaddrinfo blocks, and libevent's own resolver has
// neither cache nor a good record.
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
  using Found = Result<std::vector<SocketAddress>>;
  struct Options {
    Duration fresh = std::chrono::seconds(30);  // how long an answer is kept
    /// Blocks until a name is found, with port 0; null asks the system.
    Function<Found(const std::string& name)> look_up = nullptr;
  };
  Resolver() : Resolver(Options()) {}
  explicit Resolver(Options options);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using Answer = Found;  // never empty; in the order of RFC 6724 as the system gives it
  [[nodiscard]] Ticket Resolve(Loop& loop, const Endpoint& endpoint,
                               Function<void(Answer)> on_answer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace idem::event

// Accepts connections on one address for one loop.
#pragma once

#include <memory>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"

namespace idem::event {

class Listener {
 public:
  /// Binds with SO_REUSEPORT (workers share an address, each with a listener of its own; the kernel
  /// spreads connections) and listens. `on_accept` owns the socket: non-blocking, close-on-exec,
  /// TCP_NODELAY. A busy port is an error that names it and says what to do. Port 0 lets the system
  /// choose: bound() tells. When descriptors run out, accepting pauses for 100 ms.
  static Result<std::unique_ptr<Listener>> Listen(
      EventLoop& loop, const Endpoint& endpoint,
      Function<void(int socket, const SocketAddress& peer)> on_accept);
  virtual ~Listener() = default;
  [[nodiscard]] virtual const Endpoint& bound() const = 0;
};

}  // namespace idem::event

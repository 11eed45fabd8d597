// Accepts connections on one address for one loop.
#pragma once

#include <memory>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"

namespace idem::event {

class Listener {
 public:
  /// Whether nobody listens on that address. To be asked once per process before the first
  /// Listen(), which cannot tell: with SO_REUSEPORT a second process of the same user would quietly
  /// share the port. The error names the address and says what to do.
  static Status CheckFree(const Endpoint& endpoint);

  /// Binds with SO_REUSEPORT (workers share an address, each with a listener of its own; the kernel
  /// spreads connections) and listens. `on_accept` owns the socket: non-blocking, close-on-exec,
  /// TCP_NODELAY. A busy port is an error that names it and says what to do. Port 0 lets the system
  /// choose: bound() tells. When descriptors run out, accepting pauses for 100 ms.
  /// [::] takes IPv6 alone: for both, listen on 0.0.0.0 too.
  /// A Unix socket that nobody listens on any more is replaced; only one loop can listen on one.
  static Result<std::unique_ptr<Listener>> Listen(
      EventLoop& loop, const Endpoint& endpoint,
      Function<void(int socket, const SocketAddress& peer)> on_accept);
  virtual ~Listener() = default;  // stops to listen; unlinks its Unix socket
  [[nodiscard]] virtual const Endpoint& bound() const = 0;
};

}  // namespace idem::event

// Accepts connections on one address for one loop.
#pragma once

#include <memory>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"

namespace idem::event {

class Listener {
 public:
  /// Checks that no process listens on that address. Called once for each process before the first
  /// Listen(), which cannot check it: with SO_REUSEPORT a second process of the same user would
  /// share the port without an error. The error names the address and a remedy.
  static Status CheckFree(const Endpoint& endpoint);

  /// Binds with SO_REUSEPORT and listens. Workers share an address, each with its own listener, and
  /// the kernel spreads the connections.
  /// - `on_accept` owns the socket: non-blocking, close-on-exec, TCP_NODELAY.
  /// - A busy port is an error that names the port and a remedy.
  /// - With port 0 the system chooses the port; bound() returns it.
  /// - When descriptors run out, accepting pauses for 100 ms.
  /// - [::] accepts IPv6 only. Listen on 0.0.0.0 too for both.
  /// - A Unix socket without a listener is replaced. Only one loop can listen on it.
  static Result<std::unique_ptr<Listener>> Listen(
      EventLoop& loop, const Endpoint& endpoint,
      Function<void(int socket, const SocketAddress& peer)> on_accept);
  virtual ~Listener() = default;  // closes the socket and unlinks a Unix path
  [[nodiscard]] virtual const Endpoint& bound() const = 0;
};

}  // namespace idem::event

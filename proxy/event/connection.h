// A stream socket on a loop, with or without TLS. Reads into one contiguous buffer and writes at
// once. It uses libevent's raw events, because a bufferevent needs three more system calls for each
// request. plain_connection.cc and tls_connection.cc implement it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/tls.h"

namespace idem::event {

/// Events for the owner of a connection, never called from inside a call of the owner. The owner
/// may destroy the connection inside any of them.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  /// connect() succeeded, and with TLS the handshake too. Follows only Connect() and ConnectTls().
  virtual void OnConnected() {}
  /// Bytes arrived: connection.received() has grown. The owner takes some or none with Consume().
  virtual void OnData() = 0;
  /// The peer ended its side in order (FIN; with TLS after close_notify). Received bytes stay
  /// readable, and writing may go on.
  virtual void OnEnd() = 0;
  /// The kernel has taken all unsent bytes.
  virtual void OnDrained() {}
  /// The connection is dead: refused, reset, timed out in connect, or with TLS cut without
  /// close_notify (the detail says which). Called once.
  virtual void OnFailure(const Error& error) = 0;
};

class Connection {
 public:
  struct Options {
    /// Unconsumed bytes are kept in a buffer that begins with this size and grows up to
    /// read_buffer_max. Reading pauses while it is full. An owner that consumes all needs no
    /// buffer.
    std::size_t read_buffer_bytes = 16 * 1024;
    std::size_t read_buffer_max = 256 * 1024;
  };

  /// Owns an accepted socket and starts to read on the next turn.
  static std::unique_ptr<Connection> Accepted(EventLoop& loop, int socket, ConnectionEvents& events,
                                              const Options& options);
  /// Connects. OnConnected() or OnFailure() follows, the latter with kTimeout after `timeout`.
  static std::unique_ptr<Connection> Connect(EventLoop& loop, const SocketAddress& to,
                                             Duration timeout, ConnectionEvents& events,
                                             const Options& options);

  /// The same with TLS. `context` need not outlive the call. AcceptedTls() makes the handshake
  /// before the first OnData(), within `timeout`. ConnectTls() makes it before OnConnected();
  /// `timeout` limits connect and handshake together. The certificate must be for `server_name`, a
  /// name or an IP address ("": any).
  static std::unique_ptr<Connection> AcceptedTls(EventLoop& loop, int socket,
                                                 const TlsContext& context, Duration timeout,
                                                 ConnectionEvents& events, const Options& options);
  static std::unique_ptr<Connection> ConnectTls(EventLoop& loop, const SocketAddress& to,
                                                const TlsContext& context,
                                                const std::string& server_name, Duration timeout,
                                                ConnectionEvents& events, const Options& options);

  virtual ~Connection() = default;  // closes the socket and drops unsent bytes

  /// Returns all received and not yet consumed bytes in one piece, valid until the event returns.
  /// Consume() does not move them.
  [[nodiscard]] virtual std::string_view received() const = 0;
  virtual void Consume(std::size_t bytes) = 0;

  /// Writes `a` and then `b` with one system call, and copies the bytes that the kernel does not
  /// take. Returns false if the connection is dead and not one byte was taken. The failure is then
  /// reported by OnFailure(), after OnData() for the bytes received before it, as far as the owner
  /// consumes them.
  virtual bool Write(std::string_view a, std::string_view b = {}) = 0;
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;

  /// Until ResumeReading() there is no OnData(), no OnEnd() and no failure of a read. OnData() is
  /// then called once on a later turn, even if no byte is left: a parser may have an event due
  /// without needing another byte.
  virtual void PauseReading() = 0;
  virtual void ResumeReading() = 0;

  /// Sends FIN after the unsent bytes, with TLS a close_notify first. Reading goes on.
  virtual void EndWriting() = 0;
  /// Cuts the connection with RST, so that the peer sees that it did not end in order. No event
  /// follows.
  virtual void Abort() = 0;

  /// Returns true if no byte is unread and the peer has not ended, so that an idle connection can
  /// be used again. Asks the kernel (recv with MSG_PEEK).
  [[nodiscard]] virtual bool quiet() const = 0;
  /// The peer's address: "192.0.2.1:1234", or "unix".
  [[nodiscard]] virtual const std::string& peer_address() const = 0;
  /// The subject of the peer's certificate (RFC 2253), set before OnConnected() or the first
  /// OnData(). "" if the peer showed none.
  [[nodiscard]] virtual std::string_view peer_subject() const { return {}; }
};

}  // namespace idem::event

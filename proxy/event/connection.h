// A stream socket on a loop: read into one contiguous buffer, write at once. Own class over
// libevent's raw events, because a bufferevent costs three more system calls a request.
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

/// What a connection tells its owner. Never from inside a call that the owner made. The owner may
/// destroy the connection inside any of them.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  /// connect() succeeded (and the TLS handshake, where there is one). Only after Connect().
  virtual void OnConnected() {}
  /// Bytes came: connection.received() has grown. Take some or none with Consume().
  virtual void OnData() = 0;
  /// The peer ended its side in order (FIN; with TLS after close_notify). What was received stays
  /// readable; writing may go on.
  virtual void OnEnd() = 0;
  /// Everything that was written has been taken by the kernel, after a time when it was not.
  virtual void OnDrained() {}
  /// The connection is dead: refused, reset, timed out in connect, or with TLS cut without
  /// close_notify (detail says so). Told once.
  virtual void OnFailure(const Error& error) = 0;
};

class Connection {
 public:
  struct Options {
    /// What the owner leaves unconsumed is kept in a buffer that begins with this size (one whose
    /// owner consumes all needs none) and grows up to read_buffer_max; then reading pauses by
    /// itself until Consume().
    std::size_t read_buffer_bytes = 16 * 1024;
    std::size_t read_buffer_max = 256 * 1024;
  };

  /// Takes over an accepted socket and starts to read on the next turn.
  static std::unique_ptr<Connection> Accepted(EventLoop& loop, int socket, ConnectionEvents& events,
                                              const Options& options);
  /// Connects; OnConnected or OnFailure follows. After `timeout` without either, OnFailure with
  /// kTimeout.
  static std::unique_ptr<Connection> Connect(EventLoop& loop, const SocketAddress& to,
                                             Duration timeout, ConnectionEvents& events,
                                             const Options& options);

  /// The same with TLS. As a server the handshake, within `timeout`, goes on unseen before the
  /// first OnData; as a client OnConnected follows it, within `timeout` for both, and the
  /// certificate must be for `server_name`, a name or an IP address ("": any). `context` need not
  /// outlive the call.
  static std::unique_ptr<Connection> AcceptedTls(EventLoop& loop, int socket,
                                                 const TlsContext& context, Duration timeout,
                                                 ConnectionEvents& events, const Options& options);
  static std::unique_ptr<Connection> ConnectTls(EventLoop& loop, const SocketAddress& to,
                                                const TlsContext& context,
                                                const std::string& server_name, Duration timeout,
                                                ConnectionEvents& events, const Options& options);

  virtual ~Connection() = default;  // closes the socket, with what is unsent dropped

  /// All received and not yet consumed, in one piece. Good until the event that told of it returns;
  /// Consume() moves nothing.
  [[nodiscard]] virtual std::string_view received() const = 0;
  virtual void Consume(std::size_t bytes) = 0;

  /// Writes now what the kernel takes of `a` then `b` (one system call) and copies the rest. false:
  /// the connection is dead and not one byte of this was taken; if nobody knew before, what was
  /// received before its death is told first (OnData), as far as the owner makes room for it, then
  /// OnFailure.
  virtual bool Write(std::string_view a, std::string_view b = {}) = 0;
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;

  /// No OnData, OnEnd or reading failure until ResumeReading(), after which OnData is told once
  /// more on a later turn, whether or not something was left: a parser may owe an event without
  /// needing another byte for it.
  virtual void PauseReading() = 0;
  virtual void ResumeReading() = 0;

  /// Sends FIN (with TLS close_notify first) after what is unsent; reading goes on.
  virtual void EndWriting() = 0;
  /// Cuts with RST: the peer sees that this was no orderly end. Nothing is told after it.
  virtual void Abort() = 0;

  /// Not one unread byte and no end seen, asked of the kernel now (one recv with MSG_PEEK): a kept
  /// connection may be used again.
  [[nodiscard]] virtual bool quiet() const = 0;
  /// Where the peer is: "192.0.2.1:1234", or "unix".
  [[nodiscard]] virtual const std::string& peer_address() const = 0;
  /// The subject of the peer's certificate in the form of RFC 2253, once OnConnected or the first
  /// OnData came; "" where it showed none.
  [[nodiscard]] virtual std::string_view peer_subject() const { return {}; }
};

}  // namespace idem::event

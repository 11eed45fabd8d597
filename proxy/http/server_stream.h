// One request and its answer, seen from the server's inside: the border between a connection
// (http_server/) and whoever answers (an exchange of the proxy, the admin listener, the order
// service). The simulation fakes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/http/parser.h"

namespace idem::http {

/// Who sent a request.
struct Peer {
  std::string_view address;  // "192.0.2.1", "2001:db8::1", or "unix"
  bool tls = false;
  std::string_view tls_subject;  // the client certificate's, or ""
};

/// What may be told to the connection about the request that is being answered. Owned by the
/// connection; good until the handler's OnClientGone() or its own End() or Abort() returned. No
/// call on it calls the handler back from inside.
class ServerStream {
 public:
  virtual ~ServerStream() = default;

  [[nodiscard]] virtual const Peer& peer() const = 0;

  /// The body is refused (OnBodyError, 413) as soon as it announces that it will be larger. One of
  /// known length was announced by the head.
  virtual void LimitBody(std::uint64_t bytes_max) = 0;
  /// Body bytes stop coming until ResumeBody(). A stream begins paused: the handler asks for the
  /// body when it wants it, and only then is `100 Continue` sent where the client waits for it.
  virtual void PauseBody() = 0;
  virtual void ResumeBody() = 0;

  /// A 1xx, passed on as it is (not to an HTTP/1.0 client).
  virtual void SendInterim(const ResponseHead& head) = 0;
  /// The final head, once. `head.body` tells the framing; kChunked and kUntilClose both mean
  /// "length unknown". The connection adds Date where there is none, and Connection.
  virtual void SendHead(const ResponseHead& head) = 0;
  /// Body bytes after the head, taken or copied before it returns. Ignored where the response has
  /// no body.
  virtual void SendBody(std::string_view bytes) = 0;
  /// The response is complete. If the request's body was not read to its end, the connection drops
  /// the rest or closes.
  virtual void End() = 0;
  /// The response cannot be completed: the connection is cut so that the client sees it.
  virtual void Abort() = 0;

  /// Bytes handed over and not yet taken by the kernel: pause the source beyond some 64 KiB,
  /// OnDrained() tells when to go on.
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;
  /// The connection must not carry another request after this one.
  virtual void CloseAfter() = 0;
};

/// Who answers one request. Called on the connection's loop, in this order: OnBody*, OnBodyEnd;
/// OnClientGone at most once, then nothing.
class ServerHandler {
 public:
  virtual ~ServerHandler() = default;
  virtual void OnBody(std::string_view bytes) = 0;
  virtual void OnBodyEnd() = 0;
  /// The body cannot be completed: malformed, too slow (408) or cut. The response may still be
  /// sent; the connection closes after it.
  virtual void OnBodyError(const ParseError& error) = 0;
  /// The client went away or the connection failed. The stream must not be used again.
  virtual void OnClientGone() = 0;
  /// All that was sent has been taken by the kernel.
  virtual void OnDrained() = 0;
};

/// Makes a handler for each request that begins. Owned by whoever built the listener.
class ServerService {
 public:
  virtual ~ServerService() = default;
  /// A request's head has come. `head` may be moved from. The handler lives until it ended or
  /// aborted the stream or was told OnClientGone; it owns itself in a registry of its own. nullptr
  /// is a bug.
  virtual ServerHandler* OnRequest(ServerStream& stream, RequestHead& head) = 0;
  /// A message could not be read (400, 408, 414, 431, 501), or the connection is refused (503):
  /// answer it, log it and count it. The head may be incomplete. No body follows, and the
  /// connection closes after the answer.
  virtual ServerHandler* OnBadRequest(ServerStream& stream, RequestHead& head,
                                      const ParseError& error) = 0;
};

}  // namespace idem::http

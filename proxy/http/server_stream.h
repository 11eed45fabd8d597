// One request and its answer, as the server sees them: the border between a connection
// (http_server/) and a handler (an exchange of the proxy, the admin listener, the order service).
// The simulation has its own implementation.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/http/parser.h"

namespace idem::http {

/// The sender of a request.
struct Peer {
  std::string_view address;  // "192.0.2.1", "2001:db8::1", or "unix"
  bool tls = false;
  std::string_view tls_subject;  // subject of the client certificate, or ""
};

/// The connection's side of one request. The connection owns it. It is valid until the handler's
/// OnClientGone() is called, or its own End() or Abort() returns. No member calls the handler back
/// from inside.
class ServerStream {
 public:
  virtual ~ServerStream() = default;

  [[nodiscard]] virtual const Peer& peer() const = 0;

  /// Refuses the body (OnBodyError, 413) as soon as a chunk announces that it will be larger. For a
  /// body of known length the head has already announced it.
  virtual void LimitBody(std::uint64_t bytes_max) = 0;
  /// Stops body bytes until ResumeBody(). A stream begins paused; `100 Continue` is sent when the
  /// handler resumes it and the client waits for that.
  virtual void PauseBody() = 0;
  virtual void ResumeBody() = 0;

  /// Sends a 1xx head. An HTTP/1.0 client does not get it.
  virtual void SendInterim(const ResponseHead& head) = 0;
  /// Sends the final head, once. `head.body` is the framing; kChunked and kUntilClose both mean
  /// that the length is unknown. The connection adds Connection, and Date if there is none.
  virtual void SendHead(const ResponseHead& head) = 0;
  /// Sends body bytes after the head. They are written or copied before the call returns. They are
  /// ignored if the response has no body.
  virtual void SendBody(std::string_view bytes) = 0;
  /// Completes the response. If the request's body was not read to its end, the connection drops
  /// the rest or closes.
  virtual void End() = 0;
  /// Cuts the connection, so that the client sees that the response is incomplete.
  virtual void Abort() = 0;

  /// Returns the bytes that were handed over and not yet taken by the kernel. Pause the source
  /// above some 64 KiB and continue at OnDrained().
  [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;
  /// Closes the connection after this request.
  virtual void CloseAfter() = 0;
};

/// Handles one request. The connection calls it on its loop, in this order: OnBody*, OnBodyEnd.
/// OnClientGone comes at most once and is the last call.
class ServerHandler {
 public:
  virtual ~ServerHandler() = default;
  virtual void OnBody(std::string_view bytes) = 0;
  virtual void OnBodyEnd() = 0;
  /// The body cannot be completed: it is malformed, too slow (408) or cut off. The response may
  /// still be sent; the connection closes after it.
  virtual void OnBodyError(const ParseError& error) = 0;
  /// The client has left or the connection has failed. The stream must not be used again.
  virtual void OnClientGone() = 0;
  /// The kernel has taken all bytes that were sent.
  virtual void OnDrained() = 0;
};

/// Creates a handler for each request. The owner of the listener owns it.
class ServerService {
 public:
  virtual ~ServerService() = default;
  /// Called when a request's head is complete. `head` may be moved from. The returned handler must
  /// not be null; it lives until it has ended or aborted the stream or got OnClientGone(), and is
  /// owned by the service's own registry.
  virtual ServerHandler* OnRequest(ServerStream& stream, RequestHead& head) = 0;
  /// Called for a message that could not be read (400, 408, 414, 431, 501) and for a connection
  /// that is refused (503): answer it, log it and count it. The head may be incomplete. No body
  /// follows, and the connection closes after the answer.
  virtual ServerHandler* OnBadRequest(ServerStream& stream, RequestHead& head,
                                      const ParseError& error) = 0;
};

}  // namespace idem::http

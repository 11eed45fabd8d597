// Parses HTTP/1.1 messages with Boost.Beast's basic_parser and the checks that Beast leaves to its
// user (docs/http.md lists the refused messages and the reasons). It does no I/O and reads no
// clock. The result does not depend on how the bytes are cut into pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/http/message.h"

namespace idem::http {

struct ParserLimits {
  std::size_t request_line_bytes = 8 * 1024;  // above it: 414 if the target is too long
  std::size_t header_bytes = 32 * 1024;       // sum of all field lines; above it: 431
  std::size_t header_count = 100;             // above it: 431
  /// The trailer section of a chunked body, which is parsed, checked and dropped.
  std::size_t trailer_bytes = 8 * 1024;
  std::size_t chunk_line_bytes = 256;                  // size and extensions of one chunk
  std::uint64_t chunk_bytes = std::uint64_t{1} << 31;  // data of one chunk; above it: 413
  std::size_t chunk_extension_bytes = 16 * 1024;       // sum of all extensions of one body
};

/// The reason why a message was refused. `status` is sent to the client (for a response it is
/// always 502). `name` is the problem's NAME in semantics.md. `detail` describes the fault without
/// any byte of the message.
struct ParseError {
  std::uint16_t status = 400;
  std::string_view name = "bad-request";
  std::string_view detail;
};

/// Events of the parser, called from inside Feed(). Views are valid during the call only.
class RequestEvents {
 public:
  virtual ~RequestEvents() = default;
  virtual void OnRequestHead() = 0;                        // parser.head() is complete
  virtual void OnRequestBody(std::string_view bytes) = 0;  // decoded; never empty
  virtual void OnRequestEnd() = 0;
};

/// Parses the requests of one connection, one after another.
class RequestParser {
 public:
  RequestParser(const ParserLimits& limits, RequestEvents& events);
  ~RequestParser();

  struct Progress {
    // The caller drops this many bytes and feeds the rest again together with newer bytes.
    std::size_t consumed = 0;
    /// The message is malformed. Close the connection after the answer; no later byte is read as a
    /// request.
    const ParseError* error = nullptr;
    bool again = false;  // call Feed() again, even without new bytes: more events are due
  };
  /// `bytes` are all bytes that were received and not yet consumed, in one piece. Feed() stops
  /// after OnRequestHead, so that the caller can decide about the body, and after OnRequestEnd. The
  /// OnRequestEnd of a message without a body comes with the next call. Call Feed() while `again`
  /// is set, and when more bytes have come.
  Progress Feed(std::string_view bytes);

  /// Limits the body of the present message; call it in or after OnRequestHead. A chunk that would
  /// exceed the limit is refused (413) before any of its data is delivered.
  void LimitBody(std::uint64_t bytes_max);

  /// Call when the client has ended its side. Returns true if that was between two requests.
  [[nodiscard]] bool at_message_start() const;
  /// Returns true if the head of the present message is complete and its end has not been reported.
  [[nodiscard]] bool in_body() const;
  /// Prepares for the next message; call it after OnRequestEnd().
  void Reset();

  [[nodiscard]] RequestHead& head();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

class ResponseEvents {
 public:
  virtual ~ResponseEvents() = default;
  // Also for each 1xx (100 to 199, never 101), after which the final head follows; see
  // parser.head().status.
  virtual void OnResponseHead() = 0;
  virtual void OnResponseBody(std::string_view bytes) = 0;
  virtual void OnResponseEnd() = 0;  // never after a 1xx
};

/// Parses the response to one request: interim heads, the final head, its body.
class ResponseParser {
 public:
  ResponseParser(const ParserLimits& limits, ResponseEvents& events);
  ~ResponseParser();

  struct Progress {
    std::size_t consumed = 0;
    // The response is malformed and the connection cannot be used again.
    const ParseError* error = nullptr;
    bool again = false;  // as in RequestParser
  };
  /// Call before the first byte of each response, with the method of its request. A response to
  /// HEAD has no body whatever its fields say: head().body is kNone, and Content-Length stays among
  /// the fields.
  void Begin(std::string_view request_method);
  /// Stops after each OnResponseHead and OnResponseEnd, as RequestParser does.
  Progress Feed(std::string_view bytes);
  /// Call when the connection has ended. Completes a body that lasts until then (OnResponseEnd).
  /// Returns an error if the response is truncated.
  const ParseError* FeedEnd();

  /// Returns true if OnResponseEnd was reported and the connection may carry another request.
  [[nodiscard]] bool reusable() const;
  [[nodiscard]] ResponseHead& head();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace idem::http

// HTTP/1.1 messages out of bytes: Boost.Beast's basic_parser behind checks that it leaves to its
// user (docs/http.md says which messages are refused and why). No I/O and no clock. Accepts what
// may come in any pieces; the result does not depend on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/http/message.h"

namespace idem::http {

struct ParserLimits {
  std::size_t request_line_bytes = 8 * 1024;  // beyond: 414 where the target is too long
  std::size_t header_bytes = 32 * 1024;       // all field lines together; beyond: 431
  std::size_t header_count = 100;             // beyond: 431
  /// A chunked body's trailer section; parsed, checked and dropped.
  std::size_t trailer_bytes = 8 * 1024;
  std::size_t chunk_line_bytes = 256;                  // one chunk's size and extensions
  std::uint64_t chunk_bytes = std::uint64_t{1} << 31;  // one chunk's data; beyond: 413
  std::size_t chunk_extension_bytes = 16 * 1024;       // the extensions of one body together
};

/// Why a message was refused. `status` is what the client is told (for a response: always 502);
/// `name` is the problem's NAME in semantics.md; `detail` says what was wrong, in words that hold
/// no byte of the message.
struct ParseError {
  std::uint16_t status = 400;
  std::string_view name = "bad-request";
  std::string_view detail;
};

/// What a parser tells, from inside Feed(). Views are good during the call only.
class RequestEvents {
 public:
  virtual ~RequestEvents() = default;
  virtual void OnRequestHead() = 0;                        // parser.head() is complete
  virtual void OnRequestBody(std::string_view bytes) = 0;  // decoded, never empty
  virtual void OnRequestEnd() = 0;
};

/// One request after another on a connection.
class RequestParser {
 public:
  RequestParser(const ParserLimits& limits, RequestEvents& events);
  ~RequestParser();

  struct Progress {
    std::size_t consumed = 0;  // drop that many bytes; feed the rest again with what comes after it
    /// The connection must be closed after the answer; no byte after this is a request.
    const ParseError* error = nullptr;
    bool again = false;  // stopped after an event with more to tell: call again, even without bytes
  };
  /// `bytes`: all that was received and not yet consumed, in one piece. Stops after OnRequestHead
  /// (so that the caller may decide about the body; OnRequestEnd of a message without one is told
  /// by the next call), and after OnRequestEnd. Call while `again`, then when more bytes have come.
  Progress Feed(std::string_view bytes);

  /// Of this message, in or behind OnRequestHead: a chunk is refused (413) that would make the body
  /// larger, before any of its data is told.
  void LimitBody(std::uint64_t bytes_max);

  /// The client ended its side. True if that was between two requests (nothing was begun).
  [[nodiscard]] bool at_message_start() const;
  /// The head of the present message is complete and its end has not been reported.
  [[nodiscard]] bool in_body() const;
  /// Ready for the next message after OnRequestEnd().
  void Reset();

  [[nodiscard]] RequestHead& head();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

class ResponseEvents {
 public:
  virtual ~ResponseEvents() = default;
  virtual void OnResponseHead() = 0;  // 1xx too (100 to 199, never 101): parser.head().status
                                      // tells; the final head follows
  virtual void OnResponseBody(std::string_view bytes) = 0;
  virtual void OnResponseEnd() = 0;  // not after a 1xx
};

/// The response to one request: interim heads, the final head, its body.
class ResponseParser {
 public:
  ResponseParser(const ParserLimits& limits, ResponseEvents& events);
  ~ResponseParser();

  struct Progress {
    std::size_t consumed = 0;
    const ParseError* error = nullptr;  // malformed: the connection is useless
    bool again = false;                 // as in RequestParser
  };
  /// Before the first byte of each response: the method it answers (a HEAD has no body, whatever
  /// its fields say: head().body is kNone, and a Content-Length stays among the fields).
  void Begin(std::string_view request_method);
  /// Stops after each event OnResponseHead and OnResponseEnd, as RequestParser does.
  Progress Feed(std::string_view bytes);
  /// The connection ended. Completes a body that lasts until then (OnResponseEnd); an error where
  /// that is a truncation.
  const ParseError* FeedEnd();

  /// OnResponseEnd was reported and the connection may carry another request.
  [[nodiscard]] bool reusable() const;
  [[nodiscard]] ResponseHead& head();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace idem::http

// HTTP/1.1 messages into bytes. What is written is what the parser accepts: names and values have
// been checked by whoever made them (INVARIANT: no CR, LF or NUL reaches the wire).
#pragma once

#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace idem::http {

/// Appends the request line, the fields and the framing fields that follow from `head.body`, and
/// the empty line. A head without `keep_alive` gets `Connection: close`.
void AppendRequestHead(const RequestHead& head, std::string& to);

/// What a server decides about a response that it was handed.
struct ResponseTerms {
  Version to_version = Version::kHttp11;  // the client's
  BodyLength body;                        // instead of head.body
  bool keep_alive = true;                 // instead of head.keep_alive
  bool add_date = false;  // a Date where the head has none (RFC 9110, section 6.6.1)
};

/// Appends a response's head. For responses that have no body by their status (1xx, 204, 304 or an
/// answer to HEAD) kNone writes no framing field. kUntilClose implies `Connection: close`.
/// `to_version` is the client's.
void AppendResponseHead(const ResponseHead& head, Version to_version, std::string& to);
void AppendResponseHead(const ResponseHead& head, const ResponseTerms& terms, std::string& to);

/// One chunk: size line, data, CRLF (RFC 9112, section 7.1). Never empty.
void AppendChunk(std::string_view data, std::string& to);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7) for now, rendered once a second.
[[nodiscard]] std::string_view HttpDateNow();

}  // namespace idem::http

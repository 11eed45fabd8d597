// Serialises HTTP/1.1 messages. The caller has checked names and values; an INVARIANT keeps CR, LF
// and NUL off the wire. The parser accepts everything that is written here.
#pragma once

#include <string>
#include <string_view>

#include "proxy/http/message.h"

namespace idem::http {

/// Appends the request line, the fields, the framing fields for `head.body`, and the empty line. A
/// head without `keep_alive` gets `Connection: close`.
void AppendRequestHead(const RequestHead& head, std::string& to);

/// A server's decisions about a response that its handler produced.
struct ResponseTerms {
  Version to_version = Version::kHttp11;  // the client's version
  BodyLength body;                        // instead of head.body
  bool keep_alive = true;                 // instead of head.keep_alive
  bool add_date = false;  // adds Date if the head has none (RFC 9110, section 6.6.1)
};

/// Appends a response's head. kNone writes no framing field; use it for responses without a body by
/// their status (1xx, 204, 304) and for answers to HEAD. kUntilClose implies `Connection: close`.
/// `to_version` is the client's version.
void AppendResponseHead(const ResponseHead& head, Version to_version, std::string& to);
void AppendResponseHead(const ResponseHead& head, const ResponseTerms& terms, std::string& to);

/// Appends one chunk: size line, data, CRLF (RFC 9112, section 7.1). `data` must not be empty,
/// because an empty chunk ends the body.
void AppendChunk(std::string_view data, std::string& to);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// Returns the present time as "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7). It is
/// rendered once a second for each thread.
[[nodiscard]] std::string_view HttpDateNow();

}  // namespace idem::http

// Messages as llhttp reads them: the parser of Node.js, in its strict mode. The one home of its
// header is the .cc.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace idem::fuzz {

struct OtherMessage {
  std::string method;                                       // a request's
  std::string target;                                       // as it was sent
  int status = 0;                                           // a response's
  std::vector<std::pair<std::string, std::string>> fields;  // without trailers
  std::string body;
  bool head_complete = false;
  bool complete = false;
};

struct OtherReading {
  std::vector<OtherMessage> messages;
  std::string error;      // "HPE_...: reason", or ""
  bool switched = false;  // stopped where it was asked for another protocol, which we never do
};

[[nodiscard]] OtherReading ReadRequestsWithLlhttp(std::string_view bytes);
/// The responses of a connection that ends behind them, the first of which answers `method`.
[[nodiscard]] OtherReading ReadResponsesWithLlhttp(std::string_view method, std::string_view bytes);

/// Whether it refused a chunk extension that RFC 9112, section 7.1.1, allows (blanks around it, an
/// escape in a quoted value), as far as that can be told.
[[nodiscard]] bool RefusedExtension(const OtherReading& theirs, std::string_view bytes);

/// Whether it met a tab behind a Content-Length's digits or a Transfer-Encoding's `chunked`, which
/// RFC 9110, section 5.6.3, allows, as far as that can be told: it refuses the message, or takes a
/// response for one that ends with its connection.
[[nodiscard]] bool MisreadTab(const OtherReading& theirs, std::string_view bytes);

/// It has a list of methods, and refuses all others.
[[nodiscard]] bool LlhttpKnows(std::string_view method);

}  // namespace idem::fuzz

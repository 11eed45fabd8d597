// Messages as llhttp reads them: the parser of Node.js, in its strict mode. The one home of its
// header is the .cc.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/http/fields.h"

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
  std::string error;  // "HPE_...: reason", or ""
};

/// A chunk extension that it refuses and RFC 9112, section 7.1.1, allows (blanks around it, an
/// escape in a quoted value) is taken out, and the rest is asked again.
[[nodiscard]] OtherReading ReadRequestsWithLlhttp(std::string_view bytes);
/// The responses of a connection that ends behind them, the first of which answers `method`.
[[nodiscard]] OtherReading ReadResponsesWithLlhttp(std::string_view method, std::string_view bytes);

/// Whether it may have met a tab behind a Content-Length's digits or a Transfer-Encoding's
/// `chunked`, which RFC 9110, section 5.6.3, allows: it refuses the message, or takes a response
/// for one that ends with its connection. Ask it again WithBlanksForTabs().
[[nodiscard]] bool MisreadTab(const OtherReading& theirs, std::string_view bytes);
/// What says the same in any message that we accept, but for its bytes.
[[nodiscard]] std::string WithBlanksForTabs(std::string_view bytes);

/// The same lines in the same order, but for those with the name `apart`.
void DemandSameFields(const http::Fields& ours, const OtherMessage& theirs,
                      std::string_view apart = {});

/// It has a list of methods, and refuses all others.
[[nodiscard]] bool LlhttpKnows(std::string_view method);

}  // namespace idem::fuzz

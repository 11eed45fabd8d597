// Messages as llhttp reads them: the parser of Node.js, in its strict mode. Only the .cc includes
// its header.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/http/fields.h"

namespace idem::fuzz {

struct OtherMessage {
  std::string method;                                       // of a request
  std::string target;                                       // as received
  int status = 0;                                           // of a response
  std::vector<std::pair<std::string, std::string>> fields;  // without trailers
  std::string body;
  bool head_complete = false;
  bool complete = false;
};

struct OtherReading {
  std::vector<OtherMessage> messages;
  std::string error;  // "HPE_...: reason", or ""
};

/// RFC 9112, section 7.1.1, allows some chunk extensions that llhttp refuses (blanks around them,
/// an escape in a quoted value). They are removed, and the rest is read again.
[[nodiscard]] OtherReading ReadRequestsWithLlhttp(std::string_view bytes);
/// Reads the responses of a connection that ends after them. The first one answers `method`.
[[nodiscard]] OtherReading ReadResponsesWithLlhttp(std::string_view method, std::string_view bytes);

/// Returns whether llhttp may have met a tab after a Content-Length's digits or a
/// Transfer-Encoding's `chunked`. RFC 9110, section 5.6.3, allows the tab; llhttp refuses the
/// message, or takes a response for one that ends with its connection. In that case read
/// WithBlanksForTabs().
[[nodiscard]] bool MisreadTab(const OtherReading& theirs, std::string_view bytes);
/// Returns the bytes with a blank for each tab, which has the same meaning in every message that we
/// accept.
[[nodiscard]] std::string WithBlanksForTabs(std::string_view bytes);

/// Demands the same lines in the same order, except for those with the name `apart`.
void DemandSameFields(const http::Fields& ours, const OtherMessage& theirs,
                      std::string_view apart = {});

/// Returns whether the method is in llhttp's list. It refuses all others.
[[nodiscard]] bool LlhttpKnows(std::string_view method);

}  // namespace idem::fuzz

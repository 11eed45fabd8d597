// One whole head section into a RequestHead or ResponseHead: Boost.Beast reads the lines, and the
// rules that Beast leaves to its user follow (docs/http.md). The one home of Beast is its .cc.
#pragma once

#include <string_view>

#include "proxy/http/message.h"
#include "proxy/http/parser.h"

namespace idem::http {

/// `section`: what a SectionScanner found, start line and empty line included. Fills `head`, as far
/// as it gets where it returns an error.
[[nodiscard]] const ParseError* ParseRequestHead(std::string_view section, RequestHead& head);

/// `request_method`: what is answered. Errors are worded for a request: their status means nothing.
[[nodiscard]] const ParseError* ParseResponseHead(std::string_view section,
                                                  std::string_view request_method,
                                                  ResponseHead& head);

}  // namespace idem::http

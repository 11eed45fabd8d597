// Parses one whole head section into a RequestHead or ResponseHead. Boost.Beast reads the lines;
// this file adds the rules that Beast leaves to its user (docs/http.md). Only head_parser.cc uses
// Beast.
#pragma once

#include <string_view>

#include "proxy/http/message.h"
#include "proxy/http/parser.h"

namespace idem::http {

/// `section` comes from a SectionScanner and includes the start line and the empty line. Returns
/// null on success. On an error `head` is filled in part.
[[nodiscard]] const ParseError* ParseRequestHead(std::string_view section, RequestHead& head);

/// `request_method` is the method of the request that this response answers. Errors are worded for
/// a request; ignore their status.
[[nodiscard]] const ParseError* ParseResponseHead(std::string_view section,
                                                  std::string_view request_method,
                                                  ResponseHead& head);

}  // namespace idem::http

// Checks the forms of a request target (RFC 9112, section 3.2) and the Host field (RFC 9110,
// section 7.2). Pure functions of text.
#pragma once

#include <string_view>

#include "proxy/http/parser.h"

namespace idem::http {

/// Returns whether `text` is uri-host [ ":" port ] (RFC 9110, section 7.2; RFC 3986, section
/// 3.2.2). Empty text is valid.
[[nodiscard]] bool IsHostAndPort(std::string_view text);

/// The parts of a target. Only absolute-form sets `authority`.
struct Target {
  // "/path?query", "?query" (absolute-form with an empty path), "*", "host:port" for CONNECT, or ""
  // (absolute-form without path and query)
  std::string_view resource;
  std::string_view authority;  // absolute-form: the value that replaces Host, never empty there
  bool absolute = false;
};

/// Splits and checks a target. Returns null on success, and an error if the text is no target for
/// `method`.
[[nodiscard]] const ParseError* ParseTarget(std::string_view method, std::string_view text,
                                            Target& target);

}  // namespace idem::http

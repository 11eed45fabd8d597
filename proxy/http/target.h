// Where a request goes: the forms of a request target (RFC 9112, section 3.2) and the Host field
// (RFC 9110, section 7.2). Pure checks of text.
#pragma once

#include <string_view>

#include "proxy/http/parser.h"

namespace idem::http {

/// uri-host [ ":" port ] (RFC 9110, section 7.2; RFC 3986, section 3.2.2). Empty is valid.
[[nodiscard]] bool IsHostAndPort(std::string_view text);

/// A target as its parts. In all forms but absolute-form only `resource` is set.
struct Target {
  std::string_view resource;   // "/path?query", "?query" (absolute-form with an empty path), "*",
                               // or for CONNECT "host:port"; "" is an absolute-form's empty path
  std::string_view authority;  // absolute-form: what replaces Host; never empty there
  bool absolute = false;
};

/// Splits and checks a target; an error where it is none for that method.
[[nodiscard]] const ParseError* ParseTarget(std::string_view method, std::string_view text,
                                            Target& target);

}  // namespace idem::http

// Serialises structured field values (RFC 9651, section 4.1). Only tests do that; the proxy never
// writes one.
#pragma once

#include <string>

#include "proxy/http/structured_field.h"

namespace idem::fuzz {

[[nodiscard]] std::string WriteField(const http::sf::Item& item);
[[nodiscard]] std::string WriteField(const http::sf::List& list);
[[nodiscard]] std::string WriteField(const http::sf::Dictionary& dictionary);

}  // namespace idem::fuzz

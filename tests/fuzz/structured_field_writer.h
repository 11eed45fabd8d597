// Structured field values into text (RFC 9651, section 4.1). The proxy reads them and never writes
// one, so this is a test's.
#pragma once

#include <string>

#include "proxy/http/structured_field.h"

namespace idem::fuzz {

[[nodiscard]] std::string WriteField(const http::sf::Item& item);
[[nodiscard]] std::string WriteField(const http::sf::List& list);
[[nodiscard]] std::string WriteField(const http::sf::Dictionary& dictionary);

}  // namespace idem::fuzz

// JSON numbers as the exact decimals of their text, never as doubles: 0.1 and 0.10 are one amount,
// 0.1 and 0.1000000000000000055 are two.
#pragma once

#include <string>
#include <string_view>

namespace idem::idempotency {

/// Returns the longest prefix of `text` that is a number (RFC 8259, section 6), or "".
[[nodiscard]] std::string_view ScanJsonNumber(std::string_view text);

/// Appends the canonical spelling of `number`, which ScanJsonNumber() returned. The layout is
/// ECMAScript's (RFC 8785, section 3.2.2.3), with every digit kept. Returns false and appends
/// nothing if the exponent is too large to count with.
[[nodiscard]] bool AppendCanonicalNumber(std::string_view number, std::string& to);

}  // namespace idem::idempotency

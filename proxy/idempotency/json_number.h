// JSON numbers as the exact decimals that their text names, never as doubles: 0.1 and 0.10 are one
// amount, 0.1 and 0.1000000000000000055 are two.
#pragma once

#include <string>
#include <string_view>

namespace idem::idempotency {

/// The longest prefix of `text` that is a number by RFC 8259, section 6; "" where there is none.
[[nodiscard]] std::string_view ScanJsonNumber(std::string_view text);

/// Appends the one spelling of the value of `number`, which ScanJsonNumber() found: laid out as
/// ECMAScript does (RFC 8785, section 3.2.2.3), with every digit kept. false, with nothing
/// appended, where its exponent is too large to count with.
[[nodiscard]] bool AppendCanonicalNumber(std::string_view number, std::string& to);

}  // namespace idem::idempotency

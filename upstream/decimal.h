// Exact decimal numbers as text. Amounts are never stored in a double.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace idem::upstream {

/// Writes a JSON number (RFC 8259, section 6) without an exponent, as PostgreSQL's NUMERIC does:
/// "1e2" becomes "100", "1.50e1" becomes "15.0", "0.10" stays "0.10". Returns nullopt if the result
/// has more than `digits_max` digits. Requires a JSON number.
[[nodiscard]] std::optional<std::string> ToPlainDecimal(std::string_view json_number,
                                                        std::size_t digits_max);

/// Returns true if a plain decimal is greater than zero.
[[nodiscard]] bool IsPositive(std::string_view written_out);

/// Returns true if two plain decimals are equal in value ("5", "5.00").
[[nodiscard]] bool SameValue(std::string_view a, std::string_view b);

}  // namespace idem::upstream

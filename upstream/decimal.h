// Exact decimal numbers as text. No double comes near an amount.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace idem::upstream {

/// A JSON number (RFC 8259, section 6) written out without an exponent, as PostgreSQL's NUMERIC
/// shows it: "1e2" is "100", "1.50e1" is "15.0", "0.10" stays "0.10". nullopt if that takes more
/// than `digits_max` digits, those after the point included. The text must be a JSON number.
[[nodiscard]] std::optional<std::string> ToPlainDecimal(std::string_view json_number,
                                                        std::size_t digits_max);

/// Of a written-out number: greater than zero.
[[nodiscard]] bool IsPositive(std::string_view written_out);

/// Of two written-out numbers: equal in value ("5", "5.00").
[[nodiscard]] bool SameValue(std::string_view a, std::string_view b);

}  // namespace idem::upstream

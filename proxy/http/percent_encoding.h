// Percent-encoding for the words of a record's header line, of a recipe's id and of a record's key:
// all of them are printable ASCII without blanks, so that an operator and a script can read them.
#pragma once

#include <string>
#include <string_view>

namespace idem::http {

/// Appends `text`; `%`, the characters of `reserved`, and every byte outside `!` to `~` become %XX
/// with upper-case digits.
void AppendPercentEncoded(std::string_view text, std::string_view reserved, std::string& to);

/// Appends what AppendPercentEncoded() made `encoded` from; false for anything that it cannot have
/// made, so that each text has one spelling. `to` then holds a part.
[[nodiscard]] bool AppendPercentDecoded(std::string_view encoded, std::string_view reserved,
                                        std::string& to);

}  // namespace idem::http

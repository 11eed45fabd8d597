// Percent-encoding of the words in a record's header line, a recipe's id and a record's key. All of
// them are printable ASCII without blanks, so that operators and scripts can read them.
#pragma once

#include <string>
#include <string_view>

namespace idem::http {

/// Appends `text`. `%`, the characters of `reserved`, and every byte outside `!` to `~` become %XX
/// with upper-case digits.
void AppendPercentEncoded(std::string_view text, std::string_view reserved, std::string& to);

/// Appends the text that AppendPercentEncoded() turned into `encoded`. Returns false if it cannot
/// have produced `encoded`, so that each text has one spelling; `to` then holds a part of it.
[[nodiscard]] bool AppendPercentDecoded(std::string_view encoded, std::string_view reserved,
                                        std::string& to);

/// Returns `text` with every %XX decoded, whatever byte it stands for (RFC 3986, section 2.1). A `%`
/// that begins no escape stays. This is how a lenient reader takes a text that a caller wrote.
[[nodiscard]] std::string DecodeEscapes(std::string_view text);

}  // namespace idem::http

// The syntax of scalars: statuses, names, lists of words; durations and sizes are in
// base/quantity_text.h. The detail of an error is a predicate, "is not a status such as 503", and
// never holds the text itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/quantity_text.h"
#include "proxy/base/result.h"

namespace idem::config {

using std::chrono::milliseconds;

/// Returns the first and the last status: 503 and 503 for "503", 500 and 599 for "5xx".
[[nodiscard]] Result<std::pair<std::uint16_t, std::uint16_t>> ParseStatuses(std::string_view text);

/// Returns true for a token (RFC 9110, section 5.6.2), such as a field name or a method.
[[nodiscard]] bool IsToken(std::string_view text);
/// Returns true for 1 to `size_max` characters from `!` to `~`.
[[nodiscard]] bool IsVisible(std::string_view text, std::size_t size_max);
[[nodiscard]] std::string ToLower(std::string_view text);

/// Returns the word of `known` that is most similar to `text`, or "" if none is similar.
[[nodiscard]] std::string_view Nearest(std::string_view text,
                                       const std::vector<std::string_view>& known);
/// Returns "a, b or c".
[[nodiscard]] std::string OneOf(const std::vector<std::string_view>& names);

}  // namespace idem::config

// The small languages inside scalars: durations, sizes, statuses, names. Pure. An error's detail is
// a predicate for a message, "is not a duration such as 250ms", and never holds the text itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"

namespace idem::config {

using std::chrono::milliseconds;

/// "250ms", "30s", "5m", "24h", "7d": a whole number and a unit.
[[nodiscard]] Result<milliseconds> ParseDuration(std::string_view text);
/// In the largest unit that needs no fraction, days from a week on: "90s", "24h", "30d".
[[nodiscard]] std::string ToText(milliseconds duration);

/// "512", "64KiB", "1MiB", "2GiB", in bytes.
[[nodiscard]] Result<std::uint64_t> ParseSize(std::string_view text);
[[nodiscard]] std::string SizeToText(std::uint64_t bytes);

/// Digits only.
[[nodiscard]] std::optional<std::uint64_t> ParseWholeNumber(std::string_view text);

/// "503" is 503 to 503, "5xx" is 500 to 599.
[[nodiscard]] Result<std::pair<std::uint16_t, std::uint16_t>> ParseStatuses(std::string_view text);

/// A token of RFC 9110, section 5.6.2: what a field name or a method is made of.
[[nodiscard]] bool IsToken(std::string_view text);
/// 1 to `size_max` characters from `!` to `~`.
[[nodiscard]] bool IsVisible(std::string_view text, std::size_t size_max);
[[nodiscard]] std::string ToLower(std::string_view text);

/// The one of `known` that somebody who wrote `text` most likely meant; "" where none is near.
[[nodiscard]] std::string_view Nearest(std::string_view text,
                                       const std::vector<std::string_view>& known);
/// "a, b or c".
[[nodiscard]] std::string OneOf(const std::vector<std::string_view>& names);

}  // namespace idem::config

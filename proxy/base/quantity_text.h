// Durations and sizes as people write them: "30s", "64KiB". The detail of an error is a predicate,
// "is not a duration such as 250ms", and never holds the text itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace idem {

/// Reads a whole number and a unit: "250ms", "30s", "5m", "24h", "7d".
[[nodiscard]] Result<std::chrono::milliseconds> ParseDuration(std::string_view text);
/// Writes the duration in the largest unit that needs no fraction: "90s", "24h". Days are used from
/// a week on: "30d".
[[nodiscard]] std::string ToText(std::chrono::milliseconds duration);

/// Reads a number of bytes: "512", "64KiB", "1MiB", "2GiB".
[[nodiscard]] Result<std::uint64_t> ParseSize(std::string_view text);
[[nodiscard]] std::string SizeToText(std::uint64_t bytes);

/// Reads a number that consists of digits only.
[[nodiscard]] std::optional<std::uint64_t> ParseWholeNumber(std::string_view text);

}  // namespace idem

// Canonical JSON: one spelling for each value, so that reordered members or changed blanks do not
// make another request. Order and escapes follow RFC 8785; numbers are exact decimals
// (json_number.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace idem::idempotency {

/// Returns whether `text` is a non-empty JSON pointer (RFC 6901).
[[nodiscard]] bool IsJsonPointer(std::string_view text);

/// Appends the canonical form of `text` without the members and elements that `ignore` points to;
/// each pointer is an IsJsonPointer(). Returns false, with `to` unchanged, if `text`
/// - is not exactly one JSON value (RFC 8259),
/// - has a member name twice in one object,
/// - holds a lone surrogate or bytes that are not UTF-8,
/// - is nested deeper than kJsonDepthMax, or
/// - holds a number whose exponent is too large to count with.
[[nodiscard]] bool AppendCanonicalJson(std::string_view text, std::span<const std::string> ignore,
                                       std::string& to);

/// Returns the canonical form of the value at `pointer` (an IsJsonPointer()) in `text`. Returns
/// nullopt if there is no such value, or if AppendCanonicalJson() refuses `text`.
[[nodiscard]] std::optional<std::string> FindInJson(std::string_view text,
                                                    const std::string& pointer);

inline constexpr int kJsonDepthMax = 64;

}  // namespace idem::idempotency

// One spelling for each JSON value, so that a body whose members moved or whose blanks changed is
// the same request: the order and the escapes of RFC 8785, with numbers as exact decimals
// (json_number.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace idem::idempotency {

/// Whether `text` is a JSON pointer (RFC 6901) to something inside a document: not empty.
[[nodiscard]] bool IsJsonPointer(std::string_view text);

/// Appends the canonical form of `text` without the members and elements that `ignore` points to
/// (each IsJsonPointer()). false, with `to` as it was, where `text` is not one JSON value
/// (RFC 8259), holds a member name twice in an object, a lone surrogate, bytes that are not UTF-8,
/// more than kJsonDepthMax levels, or a number whose exponent is too large to count with.
[[nodiscard]] bool AppendCanonicalJson(std::string_view text, std::span<const std::string> ignore,
                                       std::string& to);

/// The canonical form of what `pointer` (IsJsonPointer()) points to in `text`; nullopt where
/// nothing is there, or where `text` is not what AppendCanonicalJson() takes.
[[nodiscard]] std::optional<std::string> FindInJson(std::string_view text,
                                                    const std::string& pointer);

inline constexpr int kJsonDepthMax = 64;

}  // namespace idem::idempotency

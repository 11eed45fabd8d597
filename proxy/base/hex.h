// Hexadecimal text of bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace idem {

/// Appends two lower-case digits for each byte.
void AppendHex(std::span<const std::uint8_t> bytes, std::string& to);
[[nodiscard]] std::string ToHex(std::span<const std::uint8_t> bytes);

/// Fills `bytes` from exactly twice as many digits of either case. Returns false for any other
/// text.
[[nodiscard]] bool FromHex(std::string_view text, std::span<std::uint8_t> bytes);

}  // namespace idem

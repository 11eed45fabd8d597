// The character classes of HTTP and URI grammar, one table lookup per byte.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace idem::http {

enum CharacterClass : std::uint8_t {
  kTokenChar = 1,      // tchar (RFC 9110, section 5.6.2)
  kFieldChar = 2,      // HTAB, SP, VCHAR, obs-text (RFC 9110, section 5.5)
  kUnreserved = 4,     // RFC 3986, section 2.3
  kSubDelimiter = 8,   // RFC 3986, section 2.2
  kHexDigit = 16,      // of either case
  kDecimalDigit = 32,  //
};

namespace characters_internal {

constexpr std::array<std::uint8_t, 256> MakeTable() {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&](std::string_view members, std::uint8_t classes) {
    for (const char c : members) table[static_cast<std::uint8_t>(c)] |= classes;
  };
  add("0123456789", kTokenChar | kUnreserved | kHexDigit | kDecimalDigit);
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kTokenChar | kUnreserved);
  add("abcdefABCDEF", kHexDigit);
  add("!#$%&'*+-.^_`|~", kTokenChar);
  add("-._~", kUnreserved);
  add("!$&'()*+,;=", kSubDelimiter);
  table['\t'] |= kFieldChar;
  for (std::size_t c = 0x20; c < 0x100; ++c) {
    if (c != 0x7f) table[c] |= kFieldChar;
  }
  return table;
}
inline constexpr std::array<std::uint8_t, 256> kTable = MakeTable();

}  // namespace characters_internal

[[nodiscard]] constexpr bool Is(char c, unsigned classes) {
  return (characters_internal::kTable[static_cast<std::uint8_t>(c)] & classes) != 0;
}

[[nodiscard]] constexpr bool AllAre(std::string_view text, unsigned classes) {
  for (const char c : text) {
    if (!Is(c, classes)) return false;
  }
  return true;
}

[[nodiscard]] constexpr bool IsToken(std::string_view text) {
  return !text.empty() && AllAre(text, kTokenChar);
}

}  // namespace idem::http

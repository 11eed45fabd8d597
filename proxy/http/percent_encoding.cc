#include "proxy/http/percent_encoding.h"

#include <cstdint>

#include "proxy/base/hex.h"

namespace idem::http {

namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

bool IsPlain(char c, std::string_view reserved) {
  return c >= '!' && c <= '~' && c != '%' && reserved.find(c) == std::string_view::npos;
}

}  // namespace

void AppendPercentEncoded(std::string_view text, std::string_view reserved, std::string& to) {
  for (const char c : text) {
    if (IsPlain(c, reserved)) {
      to.push_back(c);
      continue;
    }
    const auto byte = static_cast<std::uint8_t>(c);
    to.push_back('%');
    to.push_back(kDigits[byte >> 4]);
    to.push_back(kDigits[byte & 15]);
  }
}

bool AppendPercentDecoded(std::string_view encoded, std::string_view reserved, std::string& to) {
  while (!encoded.empty()) {
    char c = encoded.front();
    if (c != '%') {
      if (!IsPlain(c, reserved)) return false;
      to.push_back(c);
      encoded.remove_prefix(1);
      continue;
    }
    if (encoded.size() < 3) return false;
    const std::size_t high = kDigits.find(encoded[1]);
    const std::size_t low = kDigits.find(encoded[2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    c = static_cast<char>(high * 16 + low);
    if (IsPlain(c, reserved)) return false;
    to.push_back(c);
    encoded.remove_prefix(3);
  }
  return true;
}

std::string DecodeEscapes(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::uint8_t byte = 0;
    const bool escaped = text[i] == '%' && FromHex(text.substr(i + 1, 2), {&byte, 1});
    decoded.push_back(escaped ? static_cast<char>(byte) : text[i]);
    if (escaped) i += 2;
  }
  return decoded;
}

}  // namespace idem::http

#include "proxy/base/json_text.h"

#include <cstdint>

#include "proxy/base/utf8.h"

namespace idem {

namespace {

void AppendControl(char c, std::string& to) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '\n':
      to += "\\n";
      return;
    case '\r':
      to += "\\r";
      return;
    case '\t':
      to += "\\t";
      return;
    default:
      to += "\\u00";
      to.push_back(kDigits[static_cast<std::uint8_t>(c) >> 4]);
      to.push_back(kDigits[static_cast<std::uint8_t>(c) & 15]);
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& to) {
  to.push_back('"');
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = Utf8SequenceLength(text);
    if (length == 0) {
      to += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      to.push_back('\\');
      to.push_back(c);
    } else if (static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f) {
      AppendControl(c, to);
    } else {
      to.append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  to.push_back('"');
}

}  // namespace idem

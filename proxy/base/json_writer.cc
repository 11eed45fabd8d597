#include "proxy/base/json_writer.h"

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

// Returns whether JSON needs no escape for `c`. Nearly every character is plain.
bool IsPlain(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

std::size_t CountPlain(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && IsPlain(text[count])) ++count;
  return count;
}

// Appends the first character of `text`, which is not plain. Returns its length in bytes.
std::size_t AppendOther(std::string_view text, std::string& to) {
  const char c = text.front();
  const std::size_t length = Utf8SequenceLength(text);
  if (length == 0) {
    to += "\xEF\xBF\xBD";
    return 1;
  }
  if (c == '"' || c == '\\') {
    to.push_back('\\');
    to.push_back(c);
  } else if (static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f) {
    AppendControl(c, to);
  } else {
    to.append(text.substr(0, length));
  }
  return length;
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& to) {
  to.push_back('"');
  while (!text.empty()) {
    const std::size_t plain = CountPlain(text);
    to.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(AppendOther(text, to));
  }
  to.push_back('"');
}

}  // namespace idem

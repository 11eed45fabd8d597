#include "tests/fuzz/structured_field_writer.h"

#include <cstdint>
#include <string_view>
#include <variant>

namespace idem::fuzz {

namespace {

using namespace http::sf;

// Writes base64 with padding (section 4.1.8).
std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t byte = 0; byte < 3; ++byte) {
      bits = bits << 8 | (byte < group.size() ? static_cast<std::uint8_t>(group[byte]) : 0U);
    }
    for (std::size_t digit = 0; digit < 4; ++digit) {
      const bool padding = digit > group.size();
      text.push_back(padding ? '=' : kDigits[bits >> (18 - 6 * digit) & 63]);
    }
  }
  return text;
}

struct ValueWriter {
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(const Decimal& decimal) const {  // section 4.1.5: at least one digit
    const std::int64_t size = decimal.thousandths < 0 ? -decimal.thousandths : decimal.thousandths;
    std::string fraction = std::to_string(1000 + size % 1000).substr(1);
    while (fraction.size() > 1 && fraction.back() == '0') fraction.pop_back();
    return (decimal.thousandths < 0 ? "-" : "") + std::to_string(size / 1000) + "." + fraction;
  }
  std::string operator()(const std::string& text) const {
    std::string quoted = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') quoted.push_back('\\');
      quoted.push_back(c);
    }
    return quoted + "\"";
  }
  std::string operator()(const Token& token) const { return token.text; }
  std::string operator()(const ByteSequence& sequence) const {
    return ":" + Base64(sequence.bytes) + ":";
  }
  std::string operator()(bool flag) const { return flag ? "?1" : "?0"; }
  std::string operator()(const Date& date) const {
    return "@" + std::to_string(date.seconds_since_1970);
  }
  std::string operator()(const DisplayString& display) const {  // section 4.1.11
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string quoted = "%\"";
    for (const char c : display.text) {
      if (c >= ' ' && c <= '~' && c != '%' && c != '"') {
        quoted.push_back(c);
        continue;
      }
      const auto byte = static_cast<std::uint8_t>(c);
      quoted.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
    return quoted + "\"";
  }
};

std::string Write(const BareItem& value) { return std::visit(ValueWriter(), value); }

std::string Write(const Parameters& parameters) {
  std::string text;
  for (const auto& [key, value] : parameters) {
    text += ";" + key;
    if (value != BareItem(true)) text += "=" + Write(value);
  }
  return text;
}

std::string Write(const Item& item) { return Write(item.value) + Write(item.parameters); }

std::string Write(const InnerList& list) {
  std::string text = "(";
  for (const Item& item : list.items) text += (text.size() == 1 ? "" : " ") + Write(item);
  return text + ")" + Write(list.parameters);
}

std::string Write(const Member& member) {
  return std::visit([](const auto& value) { return Write(value); }, member);
}

// Writes a member whose value is plain true as its key only (section 4.1.2).
std::string WriteEntry(const std::string& key, const Member& member) {
  const auto* item = std::get_if<Item>(&member);
  if (item != nullptr && item->value == BareItem(true)) return key + Write(item->parameters);
  return key + "=" + Write(member);
}

}  // namespace

std::string WriteField(const Item& item) { return Write(item); }

std::string WriteField(const List& list) {
  std::string text;
  for (const Member& member : list) text += (text.empty() ? "" : ", ") + Write(member);
  return text;
}

std::string WriteField(const Dictionary& dictionary) {
  std::string text;
  for (const auto& [key, member] : dictionary) {
    text += (text.empty() ? "" : ", ") + WriteEntry(key, member);
  }
  return text;
}

}  // namespace idem::fuzz

#include "proxy/http/structured_field.h"

#include <algorithm>
#include <array>

#include "proxy/base/utf8.h"
#include "proxy/http/characters.h"

namespace idem::http::sf {

namespace {

constexpr bool IsLowerAlpha(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsAlpha(char c) { return IsLowerAlpha(static_cast<char>(c | 0x20)); }
constexpr bool IsDigit(char c) { return Is(c, kDecimalDigit); }
constexpr bool IsPrintableAscii(char c) { return c >= 0x20 && c <= 0x7e; }

// Returns the value of a base64 digit (RFC 4648, section 4), or -1.
constexpr int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (IsLowerAlpha(c)) return c - 'a' + 26;
  if (IsDigit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// Accepts missing padding and non-zero unused bits, as section 4.2.7 asks.
std::optional<std::string> DecodeBase64(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  unsigned bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const int value = Base64Value(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(value);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<char>(bits >> bit_count & 0xff));
  }
  return bytes;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = Utf8SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Returns the value for `key` in a list of pairs, which is added if it is absent.
template <class Value>
void Put(std::vector<std::pair<std::string, Value>>& pairs, std::string key, Value value) {
  const auto old =
      std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == key; });
  if (old != pairs.end()) {
    old->second = std::move(value);
  } else {
    pairs.emplace_back(std::move(key), std::move(value));
  }
}

// Implements the algorithms of section 4.2, one function each, under their names there. Each
// consumes what it reads from the front of the input and returns false or nullopt if parsing fails.
class Parser {
 public:
  explicit Parser(std::string_view input) : input_(input) { SkipSpaces(); }

  bool AtEnd() {
    SkipSpaces();
    return input_.empty();
  }

  bool ParseList(List& list) {  // 4.2.1
    while (!input_.empty()) {
      auto member = ParseItemOrInnerList();
      if (!member) return false;
      list.push_back(std::move(*member));
      if (!SkipToNextMember()) return false;
    }
    return true;
  }

  bool ParseDictionary(Dictionary& dictionary) {  // 4.2.2
    while (!input_.empty()) {
      auto key = ParseKey();
      if (!key) return false;
      auto member = Skip('=') ? ParseItemOrInnerList() : ParseBareTrueMember();
      if (!member) return false;
      Put(dictionary, std::move(*key), std::move(*member));
      if (!SkipToNextMember()) return false;
    }
    return true;
  }

  std::optional<Item> ParseItem() {  // 4.2.3
    auto value = ParseBareItem();
    if (!value) return std::nullopt;
    auto parameters = ParseParameters();
    if (!parameters) return std::nullopt;
    return Item{std::move(*value), std::move(*parameters)};
  }

 private:
  [[nodiscard]] char front() const { return input_.empty() ? '\0' : input_.front(); }
  char Take() {
    const char c = input_.front();
    input_.remove_prefix(1);
    return c;
  }
  bool Skip(char c) {
    if (input_.empty() || input_.front() != c) return false;
    input_.remove_prefix(1);
    return true;
  }
  void SkipSpaces() {
    while (Skip(' ')) {
    }
  }
  template <class Predicate>
  std::string_view TakeWhile(Predicate predicate) {
    const auto* const end = std::find_if_not(input_.begin(), input_.end(), predicate);
    const std::string_view taken = input_.substr(0, static_cast<std::size_t>(end - input_.begin()));
    input_.remove_prefix(taken.size());
    return taken;
  }

  // Expects, after a member, the end or a comma and another member.
  bool SkipToNextMember() {
    const auto skip_blanks = [&] { TakeWhile([](char c) { return c == ' ' || c == '\t'; }); };
    skip_blanks();
    if (input_.empty()) return true;
    if (!Skip(',')) return false;
    skip_blanks();
    return !input_.empty();
  }

  std::optional<Member> ParseItemOrInnerList() {  // 4.2.1.1
    if (front() == '(') {
      auto list = ParseInnerList();
      return list ? std::optional<Member>(std::move(*list)) : std::nullopt;
    }
    auto item = ParseItem();
    return item ? std::optional<Member>(std::move(*item)) : std::nullopt;
  }

  std::optional<Member> ParseBareTrueMember() {
    auto parameters = ParseParameters();
    if (!parameters) return std::nullopt;
    return Member(Item{BareItem(true), std::move(*parameters)});
  }

  std::optional<InnerList> ParseInnerList() {  // 4.2.1.2
    InnerList list;
    Skip('(');
    for (;;) {
      SkipSpaces();
      if (Skip(')')) break;
      auto item = ParseItem();
      if (!item || (front() != ' ' && front() != ')')) return std::nullopt;
      list.items.push_back(std::move(*item));
    }
    auto parameters = ParseParameters();
    if (!parameters) return std::nullopt;
    list.parameters = std::move(*parameters);
    return list;
  }

  std::optional<Parameters> ParseParameters() {  // 4.2.3.2
    Parameters parameters;
    while (Skip(';')) {
      SkipSpaces();
      auto key = ParseKey();
      if (!key) return std::nullopt;
      auto value = Skip('=') ? ParseBareItem() : BareItem(true);
      if (!value) return std::nullopt;
      Put(parameters, std::move(*key), std::move(*value));
    }
    return parameters;
  }

  std::optional<std::string> ParseKey() {  // 4.2.3.3
    if (!IsLowerAlpha(front()) && front() != '*') return std::nullopt;
    return std::string(TakeWhile([](char c) {
      return IsLowerAlpha(c) || IsDigit(c) || c == '_' || c == '-' || c == '.' || c == '*';
    }));
  }

  std::optional<BareItem> ParseBareItem() {  // 4.2.3.1
    const char c = front();
    if (c == '-' || IsDigit(c)) return ParseNumber();
    if (c == '"') return ParseString();
    if (c == '*' || IsAlpha(c)) return ParseToken();
    if (c == ':') return ParseByteSequence();
    if (c == '?') return ParseBoolean();
    if (c == '@') return ParseDate();
    if (c == '%') return ParseDisplayString();
    return std::nullopt;
  }

  std::optional<BareItem> ParseNumber() {  // 4.2.4
    const std::int64_t sign = Skip('-') ? -1 : 1;
    const std::string_view whole = TakeWhile(IsDigit);
    if (whole.empty() || whole.size() > 15) return std::nullopt;
    std::int64_t number = 0;
    const auto add_digit = [&](char digit) { number = number * 10 + (digit - '0'); };
    std::ranges::for_each(whole, add_digit);
    if (!Skip('.')) return sign * number;

    const std::string_view fraction = TakeWhile(IsDigit);
    if (whole.size() > 12 || fraction.empty() || fraction.size() > 3) return std::nullopt;
    std::ranges::for_each(fraction, add_digit);
    for (std::size_t digits = fraction.size(); digits < 3; ++digits) number *= 10;
    return Decimal{sign * number};
  }

  std::optional<BareItem> ParseString() {  // 4.2.5
    Skip('"');
    std::string text;
    while (!input_.empty()) {
      char c = Take();
      if (c == '"') return text;
      if (c == '\\') {
        if (front() != '"' && front() != '\\') return std::nullopt;
        c = Take();
      }
      if (!IsPrintableAscii(c)) return std::nullopt;
      text.push_back(c);
    }
    return std::nullopt;
  }

  std::optional<BareItem> ParseToken() {  // 4.2.6
    return Token{
        std::string(TakeWhile([](char c) { return Is(c, kTokenChar) || c == ':' || c == '/'; }))};
  }

  std::optional<BareItem> ParseByteSequence() {  // 4.2.7
    Skip(':');
    const std::string_view encoded = TakeWhile([](char c) { return c != ':'; });
    if (!Skip(':')) return std::nullopt;
    auto bytes = DecodeBase64(encoded);
    if (!bytes) return std::nullopt;
    return ByteSequence{std::move(*bytes)};
  }

  std::optional<BareItem> ParseBoolean() {  // 4.2.8
    Skip('?');
    if (Skip('1')) return BareItem(true);
    if (Skip('0')) return BareItem(false);
    return std::nullopt;
  }

  std::optional<BareItem> ParseDate() {  // 4.2.9
    Skip('@');
    const auto number = ParseNumber();
    if (!number || !std::holds_alternative<std::int64_t>(*number)) return std::nullopt;
    return Date{std::get<std::int64_t>(*number)};
  }

  std::optional<BareItem> ParseDisplayString() {  // 4.2.10
    Skip('%');
    if (!Skip('"')) return std::nullopt;
    std::string text;
    while (!input_.empty()) {
      const char c = Take();
      if (c == '"') {
        return IsUtf8(text) ? std::optional<BareItem>(DisplayString{text}) : std::nullopt;
      }
      if (!IsPrintableAscii(c)) return std::nullopt;
      const auto byte = c == '%' ? TakeLowerHexByte() : c;
      if (!byte) return std::nullopt;
      text.push_back(*byte);
    }
    return std::nullopt;
  }

  std::optional<char> TakeLowerHexByte() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (input_.size() < 2) return std::nullopt;
    const std::size_t high = kDigits.find(Take());
    const std::size_t low = kDigits.find(Take());
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    return static_cast<char>(high << 4 | low);
  }

  std::string_view input_;
};

}  // namespace

std::optional<Item> ParseItem(std::string_view text) {
  Parser parser(text);
  auto item = parser.ParseItem();
  if (!item || !parser.AtEnd()) return std::nullopt;
  return item;
}

std::optional<List> ParseList(std::string_view text) {
  Parser parser(text);
  List list;
  if (!parser.ParseList(list)) return std::nullopt;
  return list;
}

std::optional<Dictionary> ParseDictionary(std::string_view text) {
  Parser parser(text);
  Dictionary dictionary;
  if (!parser.ParseDictionary(dictionary)) return std::nullopt;
  return dictionary;
}

}  // namespace idem::http::sf

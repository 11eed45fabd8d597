// Structured fields. A parsed value is one that RFC 9651 allows. Serialised by the RFC's rules
// (section 4.1), it parses to the same value.
#include <algorithm>

#include "proxy/base/utf8.h"
#include "proxy/http/structured_field.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/structured_field_writer.h"

namespace idem::fuzz {

namespace {

using http::sf::BareItem;
using http::sf::InnerList;
using http::sf::Item;
using http::sf::Member;
using http::sf::Parameters;

constexpr std::string_view kKeyFirst = "abz*";
constexpr std::string_view kKeyRest = "abz019_-.*";

template <class Value>
void CheckKeys(const std::vector<std::pair<std::string, Value>>& pairs) {
  for (auto pair = pairs.begin(); pair != pairs.end(); ++pair) {
    const std::string& key = pair->first;
    const auto is_key_char = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
             std::string_view("_-.*").find(c) != std::string_view::npos;
    };
    Demand(!key.empty() && std::all_of(key.begin(), key.end(), is_key_char), "a key is one", key);
    Demand(std::none_of(pairs.begin(), pair, [&](const auto& other) { return other.first == key; }),
           "a key comes once", key);
  }
}

struct CheckValue {
  void operator()(std::int64_t number) const { CheckInteger(number); }
  void operator()(const http::sf::Decimal& decimal) const { CheckInteger(decimal.thousandths); }
  void operator()(const http::sf::Date& date) const { CheckInteger(date.seconds_since_1970); }
  void operator()(const std::string& text) const {
    for (const char c : text) Demand(c >= ' ' && c <= '~', "a String is printable", text);
  }
  void operator()(const http::sf::Token& token) const {
    Demand(!token.text.empty() && token.text.find_first_of(" \t\",;=()") == std::string::npos,
           "a Token has no delimiters", token.text);
  }
  void operator()(const http::sf::ByteSequence& /*bytes*/) const {}
  void operator()(bool /*flag*/) const {}
  void operator()(const http::sf::DisplayString& display) const {
    for (std::string_view rest = display.text; !rest.empty();) {
      const std::size_t length = Utf8SequenceLength(rest);
      Demand(length > 0, "a Display String is UTF-8", display.text);
      rest.remove_prefix(length);
    }
  }

 private:
  static void CheckInteger(std::int64_t number) {  // 15 digits, of a Decimal 12 and 3
    constexpr std::int64_t kMost = 999'999'999'999'999;
    Demand(number >= -kMost && number <= kMost, "a number has at most 15 digits");
  }
};

void Check(const Parameters& parameters) {
  CheckKeys(parameters);
  for (const auto& [key, value] : parameters) std::visit(CheckValue(), value);
}
void Check(const Item& item) {
  std::visit(CheckValue(), item.value);
  Check(item.parameters);
}
void Check(const InnerList& list) {
  for (const Item& item : list.items) Check(item);
  Check(list.parameters);
}
void Check(const Member& member) {
  std::visit([](const auto& value) { Check(value); }, member);
}
void Check(const http::sf::List& list) {
  for (const Member& member : list) Check(member);
}
void Check(const http::sf::Dictionary& dictionary) {
  CheckKeys(dictionary);
  for (const auto& [key, member] : dictionary) Check(member);
}

// `Parse` is one of ParseItem, ParseList and ParseDictionary.
template <class Parse>
bool TryOne(std::string_view input, Parse parse) {
  const auto value = parse(input);
  if (!value) return false;
  Check(*value);
  const std::string written = WriteField(*value);
  const auto again = parse(written);
  Demand(again.has_value(), "what was read can be read as it is written", input, written);
  DemandSame(written, WriteField(*again), "what was read is the same when it is written");
  const std::string padded = "  " + std::string(input) + " ";
  const auto with_blanks = parse(padded);
  Demand(with_blanks && WriteField(*with_blanks) == written, "blanks around a field say nothing",
         input);
  return true;
}

BareItem MakeValue(Dice& dice) {
  constexpr std::int64_t kEnd = 1'000'000'000'000'000;
  const auto number = static_cast<std::int64_t>(dice.Below(kEnd)) >> dice.Below(50);
  switch (dice.Below(8)) {
    case 0:
      return dice.OneIn(2) ? number : -number;
    case 1:
      return http::sf::Decimal{number};
    case 2:
      return dice.Text(" aZ~\"\\,;=()", 8);
    case 3:
      return http::sf::Token{dice.Pick({"a", "*"}) + dice.Text("aZ09!#$%&'*+-.^_`|~:/", 8)};
    case 4:
      return http::sf::ByteSequence{dice.Bytes(9)};
    case 5:
      return dice.OneIn(2);
    case 6:
      return http::sf::Date{-number};
    default:
      return http::sf::DisplayString{dice.Text("a\"% \x01", 4) +
                                     dice.Pick({"", "\xc3\xbc", "\xf0\x9f\x92\xa9"})};
  }
}

std::string MakeKey(Dice& dice) {
  return std::string(1, kKeyFirst[dice.Below(kKeyFirst.size())]) + dice.Text(kKeyRest, 3);
}

Parameters MakeParameters(Dice& dice) {
  Parameters parameters;
  while (dice.OneIn(3)) parameters.emplace_back(MakeKey(dice), MakeValue(dice));
  return parameters;
}

Item MakeItem(Dice& dice) { return {MakeValue(dice), MakeParameters(dice)}; }

Member MakeMember(Dice& dice) {
  if (!dice.OneIn(3)) return MakeItem(dice);
  InnerList list;
  while (!dice.OneIn(3)) list.items.push_back(MakeItem(dice));
  list.parameters = MakeParameters(dice);
  return list;
}

}  // namespace

bool Try(std::string_view input) {
  const bool item = TryOne(input, http::sf::ParseItem);
  const bool list = TryOne(input, http::sf::ParseList);
  const bool dictionary = TryOne(input, http::sf::ParseDictionary);
  Demand(!item || list, "an Item is a List of one", input);
  return item || list || dictionary;
}

std::string Make(Dice& dice) {
  if (dice.OneIn(3)) return WriteField(MakeItem(dice));
  if (dice.OneIn(2)) {
    http::sf::List list;
    while (!dice.OneIn(3)) list.push_back(MakeMember(dice));
    return WriteField(list);
  }
  http::sf::Dictionary dictionary;
  while (!dice.OneIn(3)) dictionary.emplace_back(MakeKey(dice), MakeMember(dice));
  return WriteField(dictionary);
}

}  // namespace idem::fuzz

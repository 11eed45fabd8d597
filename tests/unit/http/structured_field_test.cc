// The HTTP working group's own parsing tests (vectors/structured-fields, with their licence).
#include "proxy/http/structured_field.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

namespace idem::http::sf {

namespace {

using Json = nlohmann::json;

// Decodes base32 (RFC 4648, section 6), in which the vectors write bytes.
std::string DecodeBase32(const std::string& text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string bytes;
  unsigned bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 5 | static_cast<unsigned>(kDigits.find(c));
    bit_count += 5;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<char>(bits >> bit_count & 0xff));
  }
  return bytes;
}

bool Matches(const BareItem& item, const Json& expected) {
  if (expected.is_boolean()) return item == BareItem(expected.get<bool>());
  if (expected.is_string()) return item == BareItem(expected.get<std::string>());
  if (expected.is_number()) {
    if (const auto* integer = std::get_if<std::int64_t>(&item)) return *integer == expected;
    const auto* decimal = std::get_if<Decimal>(&item);
    return decimal != nullptr &&
           decimal->thousandths == std::llround(expected.get<double>() * 1000);
  }
  const std::string type = expected.at("__type");
  const Json& value = expected.at("value");
  if (type == "token") return item == BareItem(Token{value});
  if (type == "binary") return item == BareItem(ByteSequence{DecodeBase32(value)});
  if (type == "date") return item == BareItem(Date{value});
  return type == "displaystring" && item == BareItem(DisplayString{value});
}

bool Matches(const Parameters& parameters, const Json& expected) {
  if (parameters.size() != expected.size()) return false;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (expected[i][0] != parameters[i].first) return false;
    if (!Matches(parameters[i].second, expected[i][1])) return false;
  }
  return true;
}

bool Matches(const Item& item, const Json& expected) {
  return Matches(item.value, expected[0]) && Matches(item.parameters, expected[1]);
}

bool Matches(const Member& member, const Json& expected) {
  if (const auto* item = std::get_if<Item>(&member)) return Matches(*item, expected);
  const auto& list = std::get<InnerList>(member);
  if (!expected[0].is_array() || list.items.size() != expected[0].size()) return false;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (!Matches(list.items[i], expected[0][i])) return false;
  }
  return Matches(list.parameters, expected[1]);
}

bool Matches(const List& list, const Json& expected) {
  if (list.size() != expected.size()) return false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!Matches(list[i], expected[i])) return false;
  }
  return true;
}

bool Matches(const Dictionary& dictionary, const Json& expected) {
  if (dictionary.size() != expected.size()) return false;
  for (std::size_t i = 0; i < dictionary.size(); ++i) {
    if (expected[i][0] != dictionary[i].first) return false;
    if (!Matches(dictionary[i].second, expected[i][1])) return false;
  }
  return true;
}

template <class Parsed>
void Check(const std::optional<Parsed>& parsed, const Json& test) {
  if (test.value("must_fail", false)) {
    CHECK_FALSE(parsed.has_value());
  } else if (parsed || !test.value("can_fail", false)) {
    REQUIRE(parsed.has_value());
    CHECK(Matches(*parsed, test.at("expected")));
  }
}

}  // namespace

TEST_CASE("the working group's vectors parse to what they say, or fail where they must") {
  const std::filesystem::path folder = IDEM_TEST_DATA "/unit/http/vectors/structured-fields";
  std::size_t tests = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    CAPTURE(file.path().filename().string());
    std::ifstream stream(file.path());
    for (const Json& test : Json::parse(stream)) {
      ++tests;
      CAPTURE(test.at("name").get<std::string>());
      std::string text;
      for (const std::string line : test.at("raw")) text += (text.empty() ? "" : ", ") + line;
      CAPTURE(text);
      const std::string type = test.at("header_type");
      if (type == "item") Check(ParseItem(text), test);
      if (type == "list") Check(ParseList(text), test);
      if (type == "dictionary") Check(ParseDictionary(text), test);
    }
  }
  CHECK(tests > 1000);
}

TEST_CASE("a string with parameters is its unescaped text") {
  const auto item = ParseItem(R"( "a\"b\\c";v=1;w )");
  REQUIRE(item.has_value());
  CHECK(std::get<std::string>(item->value) == R"(a"b\c)");
  CHECK(item->parameters.size() == 2);
}

}  // namespace idem::http::sf

// Parses structured field values (RFC 9651) into typed values. Parsing is strict, as the RFC
// requires: a field that is not well-formed has no value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace idem::http::sf {

struct Decimal {  // section 3.3.2: at most 12 digits before and 3 after the point, so exact
  std::int64_t thousandths = 0;
  bool operator==(const Decimal&) const = default;
};
struct Token {  // section 3.3.4
  std::string text;
  bool operator==(const Token&) const = default;
};
struct ByteSequence {  // section 3.3.5, decoded
  std::string bytes;
  bool operator==(const ByteSequence&) const = default;
};
struct Date {  // section 3.3.7
  std::int64_t seconds_since_1970 = 0;
  bool operator==(const Date&) const = default;
};
struct DisplayString {  // section 3.3.8, decoded: valid UTF-8
  std::string text;
  bool operator==(const DisplayString&) const = default;
};

/// std::int64_t holds an Integer, std::string a String (unescaped), bool a Boolean.
using BareItem = std::variant<std::int64_t, Decimal, std::string, Token, ByteSequence, bool, Date,
                              DisplayString>;

/// In the order of the field. A repeated key has its last value at its first position (section
/// 4.2.3.2).
using Parameters = std::vector<std::pair<std::string, BareItem>>;

struct Item {
  BareItem value;
  Parameters parameters;
};
struct InnerList {
  std::vector<Item> items;
  Parameters parameters;
};
using Member = std::variant<Item, InnerList>;
using List = std::vector<Member>;
/// In the order of the field; repeated keys are treated as in Parameters.
using Dictionary = std::vector<std::pair<std::string, Member>>;

/// Parse the whole text as one Item, List or Dictionary (section 4.2). Return nullopt if parsing
/// fails. The caller joins several field lines with ", ".
[[nodiscard]] std::optional<Item> ParseItem(std::string_view text);
[[nodiscard]] std::optional<List> ParseList(std::string_view text);
[[nodiscard]] std::optional<Dictionary> ParseDictionary(std::string_view text);

}  // namespace idem::http::sf

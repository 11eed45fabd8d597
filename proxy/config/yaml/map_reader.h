// Reads the values of one map of the file into Options, and notes every mistake on the way.
//
//   MapReader map(node, mistakes);
//   map.ReadTime("timeout", options.timeout, {1ms, 1min});
//   map.ReadChoice("type", options.type, kTypes);
//   map.RefuseUnknownKeys();   // last: what was never asked for is unknown
//
// A key that is absent or empty (`key:`) leaves its target as it is, so that the defaults are those
// of the Options. So does one whose value is wrong.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/invariant.h"
#include "proxy/config/yaml/scalar_syntax.h"
#include "proxy/config/yaml/yaml_node.h"

namespace idem::config {

/// Both ends are allowed.
struct TimeRange {
  milliseconds min;
  milliseconds max;
};
struct NumberRange {
  std::uint64_t min;
  std::uint64_t max;
};

/// The words that a key may have, and what they mean.
template <class Meaning>
using Choice = std::pair<std::string_view, Meaning>;

class MapReader {
 public:
  /// An empty node reads as an empty map; one that is no map is a mistake, and reads as empty too.
  /// `node` and `mistakes` outlive the reader.
  MapReader(const Node& node, ConfigErrors& mistakes);

  [[nodiscard]] const Node& node() const { return node_; }

  /// nullptr: absent, empty, or already complained of. The key is known from now on.
  const Node* Find(std::string_view key);
  /// Whether the value is the word `auto` (or `off`).
  bool Is(std::string_view key, std::string_view word);
  /// The value is a mistake unless it is there.
  void Require(std::string_view key);

  /// True where the value was there and right, and `to` has it.
  bool ReadText(std::string_view key, std::string& to);
  bool ReadFlag(std::string_view key, bool& to);
  template <std::integral Number>
  bool ReadNumber(std::string_view key, Number& to, NumberRange range);
  template <std::integral Number>
  bool ReadSize(std::string_view key, Number& to, NumberRange range);
  template <class Time>
  bool ReadTime(std::string_view key, Time& to, TimeRange range);
  /// `choices` is an array of Choice<Meaning>.
  template <class Meaning, class Choices>
  bool ReadChoice(std::string_view key, Meaning& to, const Choices& choices);

  /// The items of a list, which must be texts. nullptr where there is no list, as with Find().
  const std::vector<Node>* FindList(std::string_view key);

  void RefuseUnknownKeys();

  /// At the value of `key`, or at the map itself where it is absent.
  void AddError(std::string_view key, std::string what);

 private:
  bool FindNumber(std::string_view key, NumberRange range, std::uint64_t& number);
  bool FindSize(std::string_view key, NumberRange range, std::uint64_t& bytes);
  bool FindTime(std::string_view key, TimeRange range, milliseconds& time);
  bool FindChoice(std::string_view key, const std::vector<std::string_view>& names,
                  std::size_t& index);

  const Node& node_;
  ConfigErrors& mistakes_;
  std::vector<std::string_view> known_;
};

/// The text of an item; nullptr, with a mistake where none was told yet, if it is something else.
[[nodiscard]] const std::string* TextOf(const Node& node, ConfigErrors& mistakes);

/// What is complained about at a node.
void AddError(const Node& node, std::string what, ConfigErrors& mistakes);

/// "; did you mean `orders`?", or "".
[[nodiscard]] std::string DidYouMean(std::string_view text,
                                     const std::vector<std::string_view>& known);

template <std::integral Number>
bool MapReader::ReadNumber(std::string_view key, Number& to, NumberRange range) {
  INVARIANT(range.max <= static_cast<std::uint64_t>(std::numeric_limits<Number>::max()));
  std::uint64_t number = 0;
  if (!FindNumber(key, range, number)) return false;
  to = static_cast<Number>(number);
  return true;
}

template <std::integral Number>
bool MapReader::ReadSize(std::string_view key, Number& to, NumberRange range) {
  INVARIANT(range.max <= static_cast<std::uint64_t>(std::numeric_limits<Number>::max()));
  std::uint64_t bytes = 0;
  if (!FindSize(key, range, bytes)) return false;
  to = static_cast<Number>(bytes);
  return true;
}

template <class Time>
bool MapReader::ReadTime(std::string_view key, Time& to, TimeRange range) {
  milliseconds time{};
  if (!FindTime(key, range, time)) return false;
  to = time;
  return true;
}

template <class Meaning, class Choices>
bool MapReader::ReadChoice(std::string_view key, Meaning& to, const Choices& choices) {
  std::vector<std::string_view> names;
  for (const auto& choice : choices) names.push_back(choice.first);
  std::size_t index = 0;
  if (!FindChoice(key, names, index)) return false;
  to = choices[index].second;
  return true;
}

}  // namespace idem::config

// Reads the values of one map of the file into Options, and reports every error.
//
//   MapReader map(node, mistakes);
//   map.ReadTime("timeout", options.timeout, {1ms, 1min});
//   map.ReadChoice("type", options.type, kTypes);
//   map.RefuseUnknownKeys();   // last: keys that were never read are unknown
//
// A key that is absent, empty (`key:`) or wrong leaves its target unchanged, so that the defaults
// are those of the Options.
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

/// The ends are included.
struct TimeRange {
  milliseconds min;
  milliseconds max;
};
struct NumberRange {
  std::uint64_t min;
  std::uint64_t max;
};

/// A word that a key may have as its value, and its meaning.
template <class Meaning>
using Choice = std::pair<std::string_view, Meaning>;

class MapReader {
 public:
  /// Reads an empty node as an empty map. Reports an error for a node that is not a map, and reads
  /// it as empty. `node` and `mistakes` outlive the reader.
  MapReader(const Node& node, ConfigErrors& mistakes);

  [[nodiscard]] const Node& node() const { return node_; }

  /// Returns nullptr if the value is absent or empty, or if an error was already reported for it.
  /// The key is known from now on.
  const Node* Find(std::string_view key);
  /// Returns true if the value is that word, such as `auto` or `off`.
  bool Is(std::string_view key, std::string_view word);
  /// Reports an error if the key is missing.
  void Require(std::string_view key);

  /// Each returns true if the value was present and valid; `to` then has it.
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

  /// Returns the items of a list, or nullptr as Find() does.
  const std::vector<Node>* FindList(std::string_view key);

  void RefuseUnknownKeys();

  /// Reports an error at the value of `key`, or at the map if the key is absent.
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

/// Returns the text of an item. Otherwise returns nullptr and reports an error, unless one was
/// already reported.
[[nodiscard]] const std::string* TextOf(const Node& node, ConfigErrors& mistakes);

/// Reports an error at a node.
void AddError(const Node& node, std::string what, ConfigErrors& mistakes);

/// Returns "; did you mean `orders`?", or "".
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

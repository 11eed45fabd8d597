// A YAML document as plain values, each with its place in the file and its path. ParseYaml() makes
// it, ApplyEnvironment() and Merge() change it, and MapReader reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/yaml/config_error.h"

namespace idem::config {

struct Entry;

struct Node {
  enum class Kind { kNull, kText, kList, kMap };
  Kind kind = Kind::kNull;
  SourcePosition place;
  std::string path;  // "routes[0].path"; "" for the document

  std::string text;            // kText
  bool quoted = false;         // kText: in quotes, so neither a number nor a flag
  bool concealed = false;      // kText: contains a value of the environment; not to be shown
  bool broken = false;         // an error was already reported for this node
  std::vector<Node> items;     // kList
  std::vector<Entry> entries;  // kMap: in the file's order, keys distinct

  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
  [[nodiscard]] bool is_text(std::string_view value) const {
    return kind == Kind::kText && text == value;
  }
  /// Returns nullptr if this is not a map or has no such key.
  [[nodiscard]] const Node* Find(std::string_view key) const;
};

struct Entry {
  std::string key;
  SourcePosition place;  // of the key
  Node value;
};

/// Returns the root of the document, a map (empty for an empty text). Returns nullopt and reports
/// an error if the text is not YAML. Duplicate keys, tags and several documents are errors too, but
/// the rest is still read. Aliases are replaced by copies of their values.
[[nodiscard]] std::optional<Node> ParseYaml(std::string_view text, ConfigErrors& mistakes);

/// Returns `base` overridden by `over`: maps are merged key by key, anything else is taken from
/// `over`.
[[nodiscard]] Node Merge(const Node& base, const Node& over);

/// Returns "routes.path" for "routes" and "path", and "path" for "" and "path".
[[nodiscard]] std::string JoinPath(std::string_view path, std::string_view key);

}  // namespace idem::config

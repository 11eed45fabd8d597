// A YAML document as this folder reads it: plain values, each of which knows its place in the file
// and its path. Made by ParseYaml() (the one home of yaml-cpp), changed by ApplyEnvironment() and
// Merge(), read through MapReader.
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
  bool quoted = false;         // kText: in quotes, so it is neither a number nor a flag
  bool concealed = false;      // kText: holds something from the environment; not to be shown
  bool broken = false;         // its mistake has been told: nothing more is to be said about it
  std::vector<Node> items;     // kList
  std::vector<Entry> entries;  // kMap: in the file's order, keys distinct

  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
  [[nodiscard]] bool is_text(std::string_view value) const {
    return kind == Kind::kText && text == value;
  }
  /// nullptr: this is no map, or has no such key.
  [[nodiscard]] const Node* Find(std::string_view key) const;
};

struct Entry {
  std::string key;
  SourcePosition place;  // of the key
  Node value;
};

/// The document's root, a map (empty for an empty text). nullopt: the text is not YAML at all, and
/// `mistakes` says where. Duplicate keys, tags, and several documents are mistakes too, with which
/// the rest is still read. Aliases are replaced by copies of what they name.
[[nodiscard]] std::optional<Node> ParseYaml(std::string_view text, ConfigErrors& mistakes);

/// `over` laid upon `base`: maps key by key, anything else as `over` has it.
[[nodiscard]] Node Merge(const Node& base, const Node& over);

/// "routes" and "path" give "routes.path"; "" and "path" give "path".
[[nodiscard]] std::string JoinPath(std::string_view path, std::string_view key);

}  // namespace idem::config

// The only user of yaml-cpp. It uses the parser's events, because the node tree accepts duplicate
// keys silently and has no place for a key.
#include <map>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "proxy/config/yaml/yaml_node.h"

namespace idem::config {

namespace {

// Aliases of aliases can turn a few kilobytes into billions of nodes, each with its path. A real
// file stays far below these limits.
constexpr std::size_t kNodesMax = 100'000;
constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kKeyBytesMax = 128;

SourcePosition PlaceOf(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

std::size_t CountNodes(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += CountNodes(item);
  for (const Entry& entry : node.entries) count += CountNodes(entry.value);
  return count;
}

void FillPaths(Node& node, std::string path) {
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    FillPaths(node.items[i], path + "[" + std::to_string(i) + "]");
  }
  for (Entry& entry : node.entries) FillPaths(entry.value, JoinPath(path, entry.key));
  node.path = std::move(path);
}

struct BeyondLimits {
  SourcePosition place;
  std::string what;
};

// Builds a tree bottom up. `open_` holds the collections that have begun and not ended.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(ConfigErrors& mistakes) : mistakes_(mistakes) {}

  Node TakeRoot() { return std::move(root_); }
  SourcePosition start() const { return start_; }

  void OnDocumentStart(const YAML::Mark& mark) override { start_ = PlaceOf(mark); }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Close(Begin(Node::Kind::kNull, mark, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto named = anchors_.find(anchor);
    if (named == anchors_.end()) {
      mistakes_.Add(PlaceOf(mark), CurrentPath(), "is an alias of a value that contains it");
      Close(Begin(Node::Kind::kNull, mark, 0));
      return;
    }
    Count(CountNodes(named->second), mark);
    Open copy{named->second, 0};
    FillPaths(copy.node, CurrentPath());
    Close(std::move(copy));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Open scalar = Begin(Node::Kind::kText, mark, anchor);
    scalar.node.text = value;
    scalar.node.quoted = tag == "!";
    if (tag != "!") RefuseTag(mark, tag);
    Close(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    RefuseTag(mark, tag);
    open_.push_back(Begin(Node::Kind::kList, mark, anchor));
  }
  void OnSequenceEnd() override { CloseInnermost(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    RefuseTag(mark, tag);
    open_.push_back(Begin(Node::Kind::kMap, mark, anchor));
  }
  void OnMapEnd() override { CloseInnermost(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;          // 0: none
    std::optional<Entry> half_entry{};  // a map: the key whose value comes next
  };

  Open Begin(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    Count(1, mark);
    if (open_.size() > kDepthMax) throw BeyondLimits{PlaceOf(mark), "is nested too deeply"};
    Open begun;
    begun.node.kind = kind;
    begun.node.place = PlaceOf(mark);
    begun.node.path = CurrentPath();
    begun.anchor = anchor;
    return begun;
  }

  // Returns the path of the value that comes next.
  std::string CurrentPath() const {
    std::string path;
    for (const Open& open : open_) {
      if (open.node.kind == Node::Kind::kList) {
        path += '[' + std::to_string(open.node.items.size()) + ']';
      } else if (open.half_entry) {
        path = JoinPath(path, open.half_entry->key);
      }
    }
    return path;
  }

  void CloseInnermost() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    Close(std::move(closed));
  }

  void Close(Open closed) {
    if (closed.anchor != 0) anchors_[closed.anchor] = closed.node;
    if (open_.empty()) {
      root_ = std::move(closed.node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kList) {
      parent.node.items.push_back(std::move(closed.node));
    } else if (!parent.half_entry) {
      parent.half_entry = KeyOf(closed.node);
    } else {
      // For `key:` without a value the parser gives the place of the next token.
      if (closed.node.is_null()) closed.node.place = parent.half_entry->place;
      parent.half_entry->value = std::move(closed.node);
      AddEntry(parent.node, std::move(*parent.half_entry));
      parent.half_entry.reset();
    }
  }

  Entry KeyOf(const Node& node) {
    if (node.kind != Node::Kind::kText) {
      mistakes_.Add(node.place, node.path, "has a key that is not a text");
    }
    if (node.text.size() > kKeyBytesMax) throw BeyondLimits{node.place, "is too long for a key"};
    return {node.text, node.place, {}};
  }

  // Keeps the first of two values.
  void AddEntry(Node& map, Entry entry) {
    for (const Entry& earlier : map.entries) {
      if (earlier.key != entry.key) continue;
      mistakes_.Add(entry.place, JoinPath(map.path, entry.key),
                    "is given twice; the first is in line " + std::to_string(earlier.place.line));
      return;
    }
    map.entries.push_back(std::move(entry));
  }

  void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    mistakes_.Add(PlaceOf(mark), CurrentPath(), "has a tag (" + tag + "), which is not supported");
  }

  void Count(std::size_t nodes, const YAML::Mark& mark) {
    node_count_ += nodes;
    if (node_count_ <= kNodesMax) return;
    throw BeyondLimits{PlaceOf(mark),
                       "exceeds the limit of " + std::to_string(kNodesMax) + " values"};
  }

  ConfigErrors& mistakes_;
  Node root_;
  SourcePosition start_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t node_count_ = 0;
};

// Returns a line of the text. Lines are counted from 1.
std::string_view LineOf(std::string_view text, int line) {
  while (--line > 0) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::optional<Node> ParseYaml(std::string_view text, ConfigErrors& mistakes) {
  TreeBuilder builder(mistakes);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder second(mistakes);
    if (parser.HandleNextDocument(second)) {
      mistakes.Add(second.start(), "",
                   "a second document begins here; a file may contain only one");
    }
  } catch (const YAML::Exception& error) {
    const SourcePosition place = PlaceOf(error.mark);
    const bool variable = LineOf(text, place.line).find("${") != std::string_view::npos;
    mistakes.Add(
        place, "",
        "is not YAML: " + error.msg + (variable ? "; inside {} and [], ${...} needs quotes" : ""));
    return std::nullopt;
  } catch (const BeyondLimits& beyond) {
    mistakes.Add(beyond.place, "", beyond.what);
    return std::nullopt;
  }
  Node root = builder.TakeRoot();
  if (root.is_null()) {
    root.kind = Node::Kind::kMap;
    root.place = {1, 1};
  }
  if (root.kind != Node::Kind::kMap) {
    mistakes.Add(root.place, "", "must be a map of keys such as `routes:`");
    return std::nullopt;
  }
  return root;
}

}  // namespace idem::config

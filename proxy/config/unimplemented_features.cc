#include "proxy/config/unimplemented_features.h"

#include <string>

#include "proxy/auth/scheme.h"

namespace idem::config {

namespace {

// A key's path without indices and names of the user's choice: keys of `routes` and of `defaults`
// have the same shape, and so have the keys of all items of a list.
std::string Shape(const std::string& parent, const std::string& key) {
  if (parent.empty() && (key == "routes" || key == "defaults")) return "route";
  return JoinPath(parent, parent == "upstreams" ? "*" : key);
}

bool IsUnavailable(const Node& node, const std::string& shape) {
  if (shape != "route.authenticate.scheme" || node.kind != Node::Kind::kText) return false;
  const auto scheme = auth::FindScheme(node.text);
  return scheme && !auth::TraitsOf(*scheme).available;
}

void Visit(const Node& node, const std::string& shape, ConfigErrors& mistakes) {
  if (IsUnavailable(node, shape)) {
    mistakes.Add(node.place, node.path, "`" + node.text + "` is not available in this version");
  }
  for (const Node& item : node.items) Visit(item, shape, mistakes);
  for (const Entry& entry : node.entries) Visit(entry.value, Shape(shape, entry.key), mistakes);
}

}  // namespace

void RefuseUnavailable(const Node& root, ConfigErrors& mistakes) { Visit(root, "", mistakes); }

}  // namespace idem::config

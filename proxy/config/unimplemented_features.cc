#include "proxy/config/unimplemented_features.h"

#include <string>
#include <string_view>

namespace idem::config {

namespace {

struct Row {
  std::string_view where;  // as Shape() spells it
  std::string_view value;  // "https://": what begins so; "": whatever it is
};

constexpr Row kUnavailable[] = {
    {"route.authenticate.scheme", "hmac-timestamp"},
    {"route.authenticate.scheme", "http-message-signatures"},
};

// How a key is spelled below `parent`: a route's the same in `routes` and in `defaults`, an
// upstream's the same whatever the upstream's name is, and a list's items as if each stood alone.
std::string Shape(const std::string& parent, const std::string& key) {
  if (parent.empty() && (key == "routes" || key == "defaults")) return "route";
  return JoinPath(parent, parent == "upstreams" ? "*" : key);
}

bool Asks(const Row& row, const Node& value) {
  if (value.is_null() || value.is_text("off")) return false;
  if (row.value.ends_with("://")) return value.text.starts_with(row.value);
  return row.value.empty() || value.text == row.value;
}

void Visit(const Node& node, const std::string& shape, ConfigErrors& mistakes) {
  for (const Row& row : kUnavailable) {
    if (row.where != shape || !Asks(row, node)) continue;
    const std::string subject = row.value.empty() ? "is" : "`" + std::string(row.value) + "` is";
    mistakes.Add(node.place, node.path, subject + " not available in this version");
  }
  for (const Node& item : node.items) Visit(item, shape, mistakes);
  for (const Entry& entry : node.entries) Visit(entry.value, Shape(shape, entry.key), mistakes);
}

}  // namespace

void RefuseUnavailable(const Node& root, ConfigErrors& mistakes) { Visit(root, "", mistakes); }

}  // namespace idem::config

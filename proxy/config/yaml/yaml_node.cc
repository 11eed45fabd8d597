#include "proxy/config/yaml/yaml_node.h"

namespace idem::config {

const Node* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Node Merge(const Node& base, const Node& over) {
  if (base.kind != Node::Kind::kMap || over.kind != Node::Kind::kMap) return over;
  Node merged = over;
  for (const Entry& inherited : base.entries) {
    bool own = false;
    for (Entry& entry : merged.entries) {
      if (entry.key != inherited.key) continue;
      entry.value = Merge(inherited.value, entry.value);
      own = true;
    }
    if (!own) merged.entries.push_back(inherited);
  }
  return merged;
}

std::string JoinPath(std::string_view path, std::string_view key) {
  std::string joined(path);
  if (!joined.empty()) joined += '.';
  return joined.append(key);
}

}  // namespace idem::config

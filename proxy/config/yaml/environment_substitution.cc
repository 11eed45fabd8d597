#include "proxy/config/yaml/environment_substitution.h"

#include <algorithm>
#include <cstdlib>

namespace idem::config {

namespace {

bool IsVariableName(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// Returns the value of one `${inside}`.
std::string ValueOf(Node& node, std::string_view inside, const Environment& environment,
                    ConfigErrors& mistakes) {
  const std::size_t separator = inside.find(":-");
  const std::string name(inside.substr(0, separator));
  const bool has_default = separator != std::string_view::npos;
  if (!IsVariableName(name)) {
    node.broken = true;
    mistakes.Add(node.place, node.path,
                 "has a `${...}` that is neither ${NAME} nor ${NAME:-default}");
    return "";
  }
  const auto value = environment(name);
  if (value && !(has_default && value->empty())) return *value;
  if (has_default) return std::string(inside.substr(separator + 2));
  node.broken = true;
  mistakes.Add(node.place, node.path,
               "needs the environment variable " + name + ", which is not set");
  return "";
}

void Substitute(Node& node, const Environment& environment, ConfigErrors& mistakes) {
  std::string text;
  std::string_view rest = node.text;
  for (std::size_t begin; (begin = rest.find("${")) != std::string_view::npos;) {
    const std::size_t end = rest.find('}', begin);
    if (end == std::string_view::npos) {
      node.broken = true;
      mistakes.Add(node.place, node.path, "has a `${` without its `}`");
      return;
    }
    text += rest.substr(0, begin);
    text += ValueOf(node, rest.substr(begin + 2, end - begin - 2), environment, mistakes);
    rest.remove_prefix(end + 1);
    node.concealed = true;
    node.quoted = false;  // YAML needs the quotes of "${N}", so the value may be a number
  }
  node.text = text.append(rest);
}

}  // namespace

void ApplyEnvironment(Node& root, const Environment& environment, ConfigErrors& mistakes) {
  if (root.kind == Node::Kind::kText) Substitute(root, environment, mistakes);
  for (Node& item : root.items) ApplyEnvironment(item, environment, mistakes);
  for (Entry& entry : root.entries) ApplyEnvironment(entry.value, environment, mistakes);
}

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

}  // namespace idem::config

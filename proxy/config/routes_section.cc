// Reads `routes` and `defaults`.
#include <algorithm>

#include "proxy/config/sections.h"

namespace idem::config {

namespace {

using exchange::Route;

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kRoutesMax = 1000;

// Returns the route merged with the defaults. Its own path or path_prefix replaces both kinds.
Node WithDefaults(const Node& route, const Node* defaults) {
  if (defaults == nullptr) return route;
  Node base = *defaults;
  if (route.Find("path") != nullptr || route.Find("path_prefix") != nullptr) {
    std::erase_if(base.entries, [](const Entry& entry) {
      return entry.key == "path" || entry.key == "path_prefix";
    });
  }
  return Merge(base, route);
}

// Returns what is wrong with a path to match, or "".
std::string WrongWithPath(const std::string& path, bool concealed) {
  if (!path.starts_with('/')) return "must begin with /";
  if (path.find_first_of("?#") != std::string::npos || !IsVisible(path, 8192)) {
    return "must be only a path, of characters from ! to ~ without ? and #";
  }
  if (path.find('*') != std::string::npos) {
    return "contains *, which is no wildcard here: use path_prefix for all paths below one";
  }
  const auto normal = exchange::NormalisePath(path);
  if (normal.hides_slash) return "must not contain %2F, %5C or %00: requests with them are refused";
  if (normal.text == path) return "";
  return "would never match: write it in its normal form" + (concealed ? "" : ", " + normal.text);
}

void ReadPath(MapReader& map, Route& route) {
  std::string exact;
  std::string prefix;
  const bool has_exact = map.ReadText("path", exact);
  const bool has_prefix = map.ReadText("path_prefix", prefix);
  if (has_exact && has_prefix) return map.AddError("path_prefix", "cannot be combined with path");
  if (!has_exact && !has_prefix) {
    return map.node().Find("path_prefix") == nullptr ? map.Require("path") : void();
  }
  route.prefix = has_prefix;
  route.path = has_prefix ? prefix : exact;
  const char* key = has_prefix ? "path_prefix" : "path";
  const std::string wrong = WrongWithPath(route.path, map.Find(key)->concealed);
  if (!wrong.empty()) map.AddError(key, wrong);
}

void ReadName(MapReader& map, Route& route, const Draft& draft) {
  route.name = route.path;
  const bool own = map.ReadText("name", route.name);
  if (own && !IsVisible(route.name, kNameMax)) {
    return map.AddError("name", "must be 1 to 255 characters from ! to ~");
  }
  const auto& routes = draft.config.routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (routes[i].name != route.name || route.name.empty()) continue;
    map.AddError("name", (own ? "is already the name of "
                              : "is required: its default, the path, is already the name of ") +
                             draft.route_nodes[i].path + " (line " +
                             std::to_string(draft.route_nodes[i].place.line) + ")");
    return;
  }
}

void ReadHost(MapReader& map, Route& route) {
  if (!map.ReadText("host", route.host)) return;
  route.host = ToLower(route.host);
  const auto endpoint = event::Endpoint::Parse(route.host + ":80");
  if (!endpoint || !endpoint->unix_path.empty()) {
    map.AddError("host", "must be only a host, such as pay.example.com, without scheme and port");
  }
}

// The first upstream that shares an address with this one.
std::size_t BackendOf(std::size_t upstream,
                      const std::vector<forward::UpstreamOptions>& upstreams) {
  const auto shares = [](const auto& one, const auto& other) {
    return std::ranges::any_of(one.endpoints, [&](const event::Endpoint& endpoint) {
      return std::ranges::find(other.endpoints, endpoint) != other.endpoints.end();
    });
  };
  std::size_t backend = 0;
  while (backend < upstream && !shares(upstreams[backend], upstreams[upstream])) ++backend;
  return backend;
}

void ReadRoute(const Node& node, Draft& draft) {
  Route route;
  MapReader map(node, draft.mistakes);
  ReadPath(map, route);
  ReadName(map, route, draft);
  ReadMethods(map, "methods", route.methods, draft.mistakes);
  ReadHost(map, route);
  map.Require("upstream");
  if (const Node* upstream = map.Find("upstream")) {
    route.upstream = ReadUpstreamOfRoute(*upstream, draft).value_or(0);
  }
  route.backend = BackendOf(route.upstream, draft.config.upstreams);
  route.max_body = draft.body_max;
  map.ReadSize("max_body", route.max_body, kBodyRange);
  map.ReadFlag("strict_paths", route.strict_paths);
  ReadFieldNames(map, "override_fields", route.override_fields, draft.mistakes);
  ReadAuthenticate(map, route, draft.mistakes);
  ReadRateLimit(map, route, draft.mistakes);
  ReadIdempotency(map, route, draft.mistakes);
  map.RefuseUnknownKeys();
  draft.config.routes.push_back(std::move(route));
  draft.route_nodes.push_back(node);
}

}  // namespace

void ReadRoutes(MapReader& root, Draft& draft) {
  const Node* defaults = root.Find("defaults");
  if (defaults != nullptr && defaults->kind != Node::Kind::kMap) {
    root.AddError("defaults", "must be a map of settings for routes");
    defaults = nullptr;
  }
  root.Require("routes");
  const auto* items = root.FindList("routes");
  if (items == nullptr) return;
  if (items->empty()) root.AddError("routes", "must have at least one");
  if (items->size() > kRoutesMax) return root.AddError("routes", "must have at most 1000");
  for (const Node& item : *items) ReadRoute(WithDefaults(item, defaults), draft);
}

const Node* FindSwitch(MapReader& route, std::string_view key) {
  const Node* written = route.node().Find(key);
  if (written != nullptr && written->is_null() && !written->broken) {
    route.AddError(key, "is empty: write {} for its defaults, or off");
  }
  return route.Is(key, "off") ? nullptr : route.Find(key);
}

void ReadMethods(MapReader& map, std::string_view key, std::vector<std::string>& to,
                 ConfigErrors& mistakes) {
  const auto* items = map.FindList(key);
  if (items == nullptr) return;
  if (items->empty()) return map.AddError(key, "must have at least one method");
  to.clear();
  for (const Node& item : *items) {
    const std::string* method = TextOf(item, mistakes);
    if (method == nullptr) continue;
    const bool capital = std::ranges::none_of(*method, [](char c) { return c >= 'a' && c <= 'z'; });
    if (!IsToken(*method) || !capital) {
      AddError(item, "is not a method such as POST, in capital letters", mistakes);
    } else if (*method == "CONNECT") {
      AddError(item, "is not supported: the proxy is not a tunnel", mistakes);
    }
    to.push_back(*method);
  }
}

void ReadFieldName(MapReader& map, std::string_view key, std::string& to) {
  if (map.ReadText(key, to) && !IsToken(to)) map.AddError(key, "is not a valid field name");
}

void ReadFieldNames(MapReader& map, std::string_view key, std::vector<std::string>& to,
                    ConfigErrors& mistakes) {
  const auto* items = map.FindList(key);
  if (items == nullptr) return;
  to.clear();
  for (const Node& item : *items) {
    const std::string* name = TextOf(item, mistakes);
    if (name == nullptr) continue;
    if (!IsToken(*name)) AddError(item, "is not a valid field name", mistakes);
    to.push_back(ToLower(*name));
  }
}

}  // namespace idem::config

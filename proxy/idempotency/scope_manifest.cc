#include "proxy/idempotency/scope_manifest.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proxy/http/percent_encoding.h"

namespace idem::idempotency {

namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kMagic = "idemproxy-scopes/1";
constexpr std::string_view kReserved = ",";

bool Holds(const Names& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// Returns the elements of `names` that are not in `others`.
Names Without(const Names& names, const Names& others) {
  Names left;
  for (const std::string& name : names) {
    if (!Holds(others, name)) left.push_back(name);
  }
  return left;
}

// ---- Text ---------------------------------------------------------------------------------------

void AppendWord(std::string_view name, const Names& values, std::string& to) {
  to.append(" ").append(name).append("=");
  for (const std::string& value : values) {
    if (&value != &values.front()) to += ',';
    http::AppendPercentEncoded(value, kReserved, to);
  }
}

/// Removes the word ` NAME=values` from the line and returns its values, or nullopt if it is not
/// there.
std::optional<Names> TakeWord(std::string_view name, std::string_view& line) {
  if (!line.starts_with(name) || !line.substr(name.size()).starts_with('=')) return std::nullopt;
  line.remove_prefix(name.size() + 1);
  std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  Names values;
  while (!word.empty()) {
    const std::string_view value = word.substr(0, word.find(','));
    const bool is_last = value.size() == word.size();
    if (!http::AppendPercentDecoded(value, kReserved, values.emplace_back())) {
      return std::nullopt;
    }
    word.remove_prefix(value.size() + (is_last ? 0 : 1));
    if (!is_last && word.empty()) return std::nullopt;
  }
  return values;
}

bool ReadLine(std::string_view line, ScopeManifest& scopes) {
  const auto prefix = TakeWord("prefix", line);
  const auto name = TakeWord("route", line);
  const auto state = TakeWord("state", line);
  const auto header = TakeWord("header", line);
  auto scope = TakeWord("scope", line);
  auto clients = TakeWord("clients", line);
  auto gone = TakeWord("gone", line);
  if (!prefix || !name || !state || !header || !scope || !clients || !gone || !line.empty() ||
      prefix->size() > 1 || name->size() != 1 || state->size() != 1 || header->size() != 1) {
    return false;
  }
  if (state->front() != "active" && state->front() != "gone") return false;
  RecordedRoute route{state->front() == "active", header->front(), std::move(*scope),
                      std::move(*clients), std::move(*gone)};
  const std::string place = prefix->empty() ? "" : prefix->front();
  return scopes[place].emplace(name->front(), std::move(route)).second;
}

// ---- Sentences ----------------------------------------------------------------------------------

std::string Listed(const Names& names) {
  std::string text = "[";
  for (const std::string& name : names) {
    if (&name != &names.front()) text += ", ";
    text += name;
  }
  return text + "]";
}

std::string Quoted(const Names& names) {
  std::string text;
  for (const std::string& name : names) {
    if (&name != &names.front()) text += ", ";
    text.append("`").append(name).append("`");
  }
  return text;
}

void CompareRoute(const RecordedRoute& held, const RouteScope& route, Names& differences) {
  const std::string of = "route `" + route.name + "`: ";
  if (held.scope != route.scope) {
    differences.push_back(of + "idempotency.scope is " + Listed(route.scope) +
                          ", but the records were written with " + Listed(held.scope));
  }
  if (held.header != route.header) {
    differences.push_back(of + "idempotency.header is `" + route.header +
                          "`, but the records have keys from `" + held.header + "`");
  }
  const bool asked = !held.clients.empty() || !held.gone_clients.empty();
  if (asked != !route.clients.empty()) {
    differences.push_back(
        of + (asked ? "it has no authentication, but the records belong to " + Quoted(held.clients)
                    : "it authenticates " + Quoted(route.clients) +
                          ", but the records belong to no client"));
    return;
  }
  const Names gone = Without(held.clients, route.clients);
  const Names unknown = Without(Without(route.clients, held.clients), held.gone_clients);
  if (!gone.empty() && !unknown.empty()) {
    differences.push_back(of + "the records belong to " + Quoted(gone) + ", which is gone, while " +
                          Quoted(unknown) + " is new: is it the same client under another id?");
  }
}

bool Overlap(std::string_view one, std::string_view other) {
  return one.starts_with(other) || other.starts_with(one);
}

bool IsInUse(const std::map<std::string, RecordedRoute>& routes) {
  return std::ranges::any_of(routes, [](const auto& route) { return route.second.active; });
}

// Compares the prefix with others of which one begins the other: `a:` with the key `b:c` is `a:b:`
// with the key `c`.
void CompareOverlap(const ScopeManifest& held, const std::string& prefix, Names& differences) {
  for (const auto& [other, routes] : held) {
    if (!Overlap(prefix, other) || !IsInUse(routes)) continue;
    differences.push_back("store.key_prefix is `" + prefix + "`, and another configuration uses `" +
                          other + "`: where one begins the other, two keys may be one record");
  }
}

// Compares a configuration whose prefix is not in the store with routes that the store has under
// another prefix.
void ComparePrefix(const ScopeManifest& held, const std::string& prefix,
                   const std::vector<RouteScope>& routes, Names& differences) {
  if (held.contains(prefix)) return;
  CompareOverlap(held, prefix, differences);
  for (const auto& [other, held_routes] : held) {
    for (const RouteScope& route : routes) {
      const auto same = held_routes.find(route.name);
      if (same == held_routes.end() || !same->second.active) continue;
      differences.push_back("store.key_prefix is `" + prefix + "`, but the records of route `" +
                            route.name + "` are stored under `" + other + "`");
      break;
    }
  }
}

RecordedRoute Merge(const RecordedRoute* held, const RouteScope& route) {
  RecordedRoute next{true, route.header, route.scope, route.clients, {}};
  if (held == nullptr) return next;
  next.gone_clients = Without(held->gone_clients, route.clients);
  for (std::string& gone : Without(held->clients, route.clients)) {
    next.gone_clients.push_back(std::move(gone));
  }
  return next;
}

}  // namespace

std::string ToText(const ScopeManifest& scopes) {
  std::string text(kMagic);
  text += '\n';
  for (const auto& [prefix, routes] : scopes) {
    for (const auto& [name, route] : routes) {
      std::string line;
      AppendWord("prefix", prefix.empty() ? Names() : Names{prefix}, line);
      AppendWord("route", {name}, line);
      AppendWord("state", {route.active ? "active" : "gone"}, line);
      AppendWord("header", {route.header}, line);
      AppendWord("scope", route.scope, line);
      AppendWord("clients", route.clients, line);
      AppendWord("gone", route.gone_clients, line);
      text.append(line, 1).append("\n");
    }
  }
  return text;
}

Result<ScopeManifest> ParseScopes(std::string_view text) {
  const Error corrupt{ErrorCode::kCorrupt,
                      "the note `scopes` in the store cannot be read: another version or another "
                      "program wrote it"};
  ScopeManifest scopes;
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return corrupt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const bool fits = is_first ? line == kMagic : ReadLine(line, scopes);
    if (!fits) return corrupt;
    is_first = false;
  }
  if (is_first) return corrupt;
  return scopes;
}

ScopeComparison CompareScopes(const ScopeManifest& held, const std::string& prefix,
                              const std::vector<RouteScope>& routes) {
  ScopeComparison comparison{{}, held};
  ComparePrefix(held, prefix, routes, comparison.differences);
  std::map<std::string, RecordedRoute>& next = comparison.next[prefix];
  const std::map<std::string, RecordedRoute> before = next;
  Names unknown;
  for (const RouteScope& route : routes) {
    const auto at = before.find(route.name);
    const RecordedRoute* const same = at == before.end() ? nullptr : &at->second;
    if (same == nullptr) unknown.push_back(route.name);
    if (same != nullptr) CompareRoute(*same, route, comparison.differences);
    next.insert_or_assign(route.name, Merge(same, route));
  }
  Names gone;
  for (const auto& [name, route] : before) {
    const bool stays =
        std::ranges::any_of(routes, [&](const RouteScope& other) { return other.name == name; });
    if (stays) continue;
    if (route.active) gone.push_back(name);
    next.at(name).active = false;
  }
  if (!gone.empty() && !unknown.empty()) {
    comparison.differences.push_back("the records belong to route " + Quoted(gone) +
                                     ", which is gone, while " + Quoted(unknown) +
                                     " is new: is it the same route under another name?");
  }
  return comparison;
}

}  // namespace idem::idempotency

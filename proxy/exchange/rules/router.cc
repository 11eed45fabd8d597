#include "proxy/exchange/rules/router.h"

#include <algorithm>

#include "proxy/base/hex.h"

namespace idem::exchange {

namespace {

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Decodes unreserved characters and writes other escapes in upper case.
NormalPath DecodeUnreserved(std::string_view path) {
  NormalPath normal;
  std::string& decoded = normal.text;
  decoded.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    std::uint8_t byte = 0;
    if (path[i] != '%' || !FromHex(path.substr(i + 1, 2), {&byte, 1})) {
      decoded.push_back(path[i]);
      continue;
    }
    if (byte == '/' || byte == '\\' || byte == 0) normal.hides_slash = true;
    if (IsUnreserved(static_cast<char>(byte))) {
      decoded.push_back(static_cast<char>(byte));
    } else {
      constexpr std::string_view kDigits = "0123456789ABCDEF";
      decoded.push_back('%');
      decoded.push_back(kDigits[byte >> 4]);
      decoded.push_back(kDigits[byte & 15]);
    }
    i += 2;
  }
  return normal;
}

// Applies RFC 3986, section 5.2.4, to segments. Empty segments (from "//") are dropped too.
std::string RemoveDotSegments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool folder = true;  // true if the path ends in "/", "/." or "/.."
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    folder = slash != std::string_view::npos;
    path.remove_prefix(folder ? slash + 1 : path.size());
    if (segment.empty()) continue;
    if (segment == "." || segment == "..") {
      folder = true;
      if (segment == ".." && !kept.empty()) kept.pop_back();
      continue;
    }
    kept.push_back(segment);
  }
  std::string normal;
  for (const std::string_view segment : kept) {
    normal.push_back('/');
    normal.append(segment);
  }
  if (folder || normal.empty()) normal.push_back('/');
  return normal;
}

bool PathMatches(const Route& route, std::string_view path) {
  if (!route.prefix) return path == route.path;
  if (!path.starts_with(route.path)) return false;
  return route.path.ends_with('/') || path.size() == route.path.size() ||
         path[route.path.size()] == '/';
}

// Without the port, and without the dot of the root at the end, which names the same host (RFC 3986,
// section 3.2.2).
std::string_view HostName(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool HostMatches(const Route& route, std::string_view host) {
  return route.host.empty() || http::EqualsIgnoreCase(HostName(route.host), HostName(host));
}

bool AllowsMethod(const Route& route, std::string_view method) {
  return route.methods.empty() || NamesMethod(route.methods, method);
}

// A route that only observes refuses nothing.
bool Enforces(const idempotency::Policy& policy) {
  return policy.mode == idempotency::Mode::kEnforce;
}

bool IsProtected(const Route& route) {
  return (route.idempotency && Enforces(*route.idempotency)) || route.authenticate ||
         route.rate_limit;
}

// The first route for a path, and the methods of the routes that match except for the method.
struct Choice {
  const Route* route = nullptr;
  std::string allow;
};

Choice Choose(const std::vector<Route>& routes, std::string_view method, std::string_view host,
              std::string_view path) {
  Choice choice;
  for (const Route& route : routes) {
    if (!HostMatches(route, host)) continue;
    if (!PathMatches(route, path)) continue;
    if (AllowsMethod(route, method)) {
      choice.route = &route;
      return choice;
    }
    for (const std::string& allowed : route.methods) {
      if (!choice.allow.empty()) choice.allow += ", ";
      choice.allow += allowed;
    }
  }
  return choice;
}

}  // namespace

bool NamesMethod(const std::vector<std::string>& methods, std::string_view method) {
  return std::ranges::any_of(
      methods, [&](const std::string& other) { return http::EqualsIgnoreCase(other, method); });
}

const idempotency::Policy* PolicyFor(const Route& route, std::string_view method) {
  if (!route.idempotency || !NamesMethod(route.idempotency->methods, method)) return nullptr;
  return &*route.idempotency;
}

bool IsWayAround(const Route& other, const Route& route, std::string_view method) {
  // Keys of two routes are told apart, so a second protected route is a way around too.
  const idempotency::Policy* const policy = PolicyFor(route, method);
  if (policy != nullptr && Enforces(*policy)) return true;
  if (route.authenticate && route.authenticate != other.authenticate) return true;
  return route.rate_limit && !other.rate_limit;
}

NormalPath NormalisePath(std::string_view path) {
  NormalPath normal = DecodeUnreserved(path);
  normal.text = RemoveDotSegments(normal.text);
  return normal;
}

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  lenient_paths_.reserve(routes_.size());
  for (const Route& route : routes_) {
    lenient_paths_.emplace_back(route.path);
    if (!IsProtected(route)) continue;
    const bool is_root = route.path == "/";
    protected_paths_have_one_reading_ &= is_root || HasOneReading(route.path);
    for (Route& other : routes_) other.backend_is_guarded |= other.backend == route.backend;
  }
}

// Some reading of the path chooses a protected route, and the request would go to the same backend
// by another one.
bool Router::MayReachProtected(std::string_view method, std::string_view host,
                               std::string_view path, const Route& chosen) const {
  if (!chosen.backend_is_guarded) return false;
  if (protected_paths_have_one_reading_ && HasOneReading(path)) return false;
  return std::ranges::any_of(LenientReadings(path), [&](const std::string& reading) {
    const Route* const other = ChooseLeniently(method, host, reading);
    return other != nullptr && other != &chosen && other->backend == chosen.backend &&
           other->strict_paths && IsWayAround(chosen, *other, method);
  });
}

const Route* Router::ChooseLeniently(std::string_view method, std::string_view host,
                                     std::string_view reading) const {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const Route& route = routes_[i];
    if (!HostMatches(route, host) || !AllowsMethod(route, method)) continue;
    if (lenient_paths_[i].Matches(reading, route.prefix)) return &route;
  }
  return nullptr;
}

Router::Match Router::Find(std::string_view method, std::string_view host,
                           std::string_view target) const {
  const std::string_view raw = target.substr(0, target.find('?'));
  if (raw == "*") {
    for (const Route& route : routes_) {
      if (route.prefix && route.path == "/" && AllowsMethod(route, method)) return &route;
    }
    return NoRoute{};
  }
  const NormalPath normal = NormalisePath(raw);
  Choice choice = Choose(routes_, method, host, normal.text);
  if (raw != normal.text && Choose(routes_, method, host, raw).route != choice.route) {
    return AmbiguousPath{};
  }
  if (choice.route != nullptr) {
    if (normal.hides_slash && choice.route->backend_is_guarded) return AmbiguousPath{};
    if (MayReachProtected(method, host, raw, *choice.route)) return AmbiguousPath{};
    return choice.route;
  }
  if (!choice.allow.empty()) return MethodNotAllowed{std::move(choice.allow)};
  return NoRoute{};
}

}  // namespace idem::exchange

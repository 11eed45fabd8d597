#include "proxy/exchange/rules/router.h"

#include <algorithm>

#include "proxy/base/hex.h"

namespace idem::exchange {

namespace {

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Decodes unreserved characters and writes other escapes in upper case. Returns nullopt for the
// three escapes that change what a path is.
std::optional<std::string> DecodeUnreserved(std::string_view path) {
  std::string decoded;
  decoded.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    std::uint8_t byte = 0;
    if (path[i] != '%' || !FromHex(path.substr(i + 1, 2), {&byte, 1})) {
      decoded.push_back(path[i]);
      continue;
    }
    if (byte == '/' || byte == '\\' || byte == 0) return std::nullopt;
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
  return decoded;
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

std::string_view HostName(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool AllowsMethod(const Route& route, std::string_view method) {
  return route.methods.empty() || std::ranges::find(route.methods, method) != route.methods.end();
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
    if (!route.host.empty() && !http::EqualsIgnoreCase(route.host, HostName(host))) continue;
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

std::optional<std::string> NormalisePath(std::string_view path) {
  auto decoded = DecodeUnreserved(path);
  if (!decoded) return std::nullopt;
  return RemoveDotSegments(*decoded);
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
  const auto normal = NormalisePath(raw);
  if (!normal) return AmbiguousPath{};
  Choice choice = Choose(routes_, method, host, *normal);
  if (raw != *normal && Choose(routes_, method, host, raw).route != choice.route) {
    return AmbiguousPath{};
  }
  if (choice.route != nullptr) return choice.route;
  if (!choice.allow.empty()) return MethodNotAllowed{std::move(choice.allow)};
  return NoRoute{};
}

}  // namespace idem::exchange

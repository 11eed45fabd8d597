#include "proxy/exchange/rules/override_fields.h"

#include <algorithm>
#include <array>

#include "proxy/http/percent_encoding.h"

namespace idem::exchange {

namespace {

constexpr std::array<std::string_view, 3> kMethodFields = {"X-HTTP-Method-Override",
                                                           "X-HTTP-Method", "X-Method-Override"};
constexpr std::array<std::string_view, 4> kPathFields = {"X-Original-URL", "X-Rewrite-URL",
                                                         "X-Original-URI", "X-Override-URL"};
constexpr std::string_view kMethodParameter = "_method";

template <std::size_t N>
bool IsOneOf(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::ranges::any_of(names,
                             [&](std::string_view other) { return http::ReadsAs(name, other); });
}

bool Allows(const Route& route, std::string_view name) {
  return !route.backend_is_guarded ||
         std::ranges::any_of(route.override_fields, [&](const std::string& allowed) {
           return http::EqualsIgnoreCase(allowed, name);
         });
}

// Decodes only a name with an escape, because this runs for every parameter of a query.
bool IsMethodParameter(std::string_view name) {
  if (name.find('%') == std::string_view::npos) return name == kMethodParameter;
  return http::DecodeEscapes(name) == kMethodParameter;
}

// Returns the decoded value of the first `_method` of a query, or "" if there is none.
std::string QueryMethod(std::string_view target) {
  const std::size_t mark = target.find('?');
  std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find_first_of("&;"), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!IsMethodParameter(pair.substr(0, equals))) continue;
    return http::DecodeEscapes(pair.substr(std::min(equals + 1, pair.size())));
  }
  return "";
}

}  // namespace

bool IsDroppedOverride(const Route& route, std::string_view name) {
  return (IsOneOf(name, kMethodFields) || IsOneOf(name, kPathFields)) && !Allows(route, name);
}

std::optional<std::string_view> MethodOverride(const Route& route,
                                               const http::RequestHead& request) {
  if (!route.backend_is_guarded) return std::nullopt;
  for (const http::FieldLine line : request.fields) {
    if (!IsOneOf(line.name, kMethodFields) || Allows(route, line.name)) continue;
    if (!http::EqualsIgnoreCase(line.value, request.method))
      return *std::ranges::find_if(
          kMethodFields, [&](std::string_view known) { return http::ReadsAs(line.name, known); });
  }
  const std::string method = QueryMethod(request.target);
  const bool other = !method.empty() && !http::EqualsIgnoreCase(method, request.method);
  if (other && !Allows(route, kMethodParameter)) return kMethodParameter;
  return std::nullopt;
}

}  // namespace idem::exchange

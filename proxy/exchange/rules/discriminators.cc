#include "proxy/exchange/rules/discriminators.h"

namespace idem::exchange {

namespace {

using http::EqualsIgnoreCase;

bool HasOtherSpelling(const http::Fields& fields, std::string_view name) {
  for (const http::FieldLine line : fields) {
    if (http::ReadsAs(line.name, name) && !EqualsIgnoreCase(line.name, name)) return true;
  }
  return false;
}

bool HasValue(const http::Fields& fields, std::string_view name) {
  for (const http::FieldLine line : fields) {
    if (EqualsIgnoreCase(line.name, name) && !line.value.empty()) return true;
  }
  return false;
}

bool IsUsable(const http::Fields& fields, std::string_view name) {
  return HasValue(fields, name) && !HasOtherSpelling(fields, name);
}

// A request without a key that needs none has no scope.
bool HasScope(const idempotency::Policy& policy, const http::Fields& fields) {
  return policy.mode == idempotency::Mode::kEnforce &&
         (policy.required || fields.Count(policy.header) > 0);
}

}  // namespace

std::optional<std::string_view> UnusableDiscriminator(const Route& route,
                                                      const http::RequestHead& request) {
  const http::Fields& fields = request.fields;
  if (route.authenticate && HasOtherSpelling(fields, route.authenticate->client_header)) {
    return route.authenticate->client_header;
  }
  const bool limits_by_header =
      route.rate_limit && route.rate_limit->by == RateLimitOptions::By::kHeader;
  if (limits_by_header && !IsUsable(fields, route.rate_limit->header)) {
    return route.rate_limit->header;
  }
  const idempotency::Policy* const policy = PolicyFor(route, request.method);
  if (policy == nullptr || !HasScope(*policy, fields)) return std::nullopt;
  for (const idempotency::ScopeRule& rule : policy->scope) {
    const bool by_header = rule.kind == idempotency::ScopeRule::Kind::kHeader;
    if (by_header && !IsUsable(fields, rule.header)) return rule.header;
  }
  return std::nullopt;
}

}  // namespace idem::exchange

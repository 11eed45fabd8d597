// Warnings about allowed but risky settings, for `check` and for a start.
#include <algorithm>

#include "proxy/config/cross_checks.h"
#include "proxy/idempotency/lease.h"

namespace idem::config {

namespace {

using idempotency::ClaimEnding;
using idempotency::Policy;

constexpr std::string_view kDemoSecret = "super-secret-key";

// With these statuses the backend states that it did not act, so releasing the key is safe.
bool ReleasedAnyway(const std::string& status) {
  constexpr std::string_view kStatuses[] = {"401", "407", "421", "425", "429"};
  return std::ranges::find(kStatuses, status) != std::end(kStatuses);
}

void WarnOfReleases(const Node& route, const Policy& policy, ConfigErrors& warnings) {
  if (policy.upstream_idempotent) return;
  const Node* responses = route.Find("idempotency")->Find("responses");
  const Node* release = responses == nullptr ? nullptr : responses->Find("release");
  if (release == nullptr) return;
  for (const Node& item : release->items) {
    if (ReleasedAnyway(item.text)) continue;
    AddError(item,
             "is released although the backend does not drop duplicates: safe only if its owner "
             "states that this answer means `not acted`",
             warnings);
  }
}

void WarnOfScope(const Node& route, const Policy& policy, ConfigErrors& warnings) {
  if (!policy.upstream_idempotent || policy.scope.empty()) return;
  AddErrorAt(route, {"idempotency", "scope"},
             "is not []: with `upstream_idempotent`, make sure that the backend tells equal keys "
             "of different scopes apart as well",
             warnings);
}

// The state that nobody knows the outcome of is forgotten before the one that is known, while callers
// still retry.
void WarnOfShortUnknown(const Node& route, const Policy& policy, ConfigErrors& warnings) {
  if (policy.upstream_idempotent || policy.unknown_ttl >= policy.ttl) return;
  AddErrorAt(route, {"idempotency", "unknown_ttl"},
             "is " + ToText(policy.unknown_ttl) + ", shorter than `ttl` (" + ToText(policy.ttl) +
                 "): a retry after it executes a request again whose outcome nobody knows",
             warnings);
}

// A record that expires before its look-up leads to a second execution without a look-up.
void WarnOfLateLookUp(const Node& route, const Policy& policy, ConfigErrors& warnings) {
  if (!policy.reconcile) return;
  const idempotency::Record begun_at_zero;
  const auto earliest = idempotency::EarliestLookUp(begun_at_zero, policy) - StoreTime{};
  if (policy.unknown_ttl > earliest) return;
  AddErrorAt(route, {"idempotency", "unknown_ttl"},
             "ends before the backend is asked, " + ToText(earliest) +
                 " after the claim (lease and reconcile.after): the key is executed again "
                 "without a look-up",
             warnings);
}

void WarnOfDemoSecret(const Draft& draft, ConfigErrors& warnings) {
  const auto& listen = draft.config.listen;
  const auto is_loopback = [](const Listener& one) { return IsLoopback(one.endpoint); };
  if (std::ranges::all_of(listen, is_loopback)) return;
  for (std::size_t i = 0; i < draft.client_nodes.size(); ++i) {
    const auto& secrets = draft.config.clients[i].secrets;
    if (std::ranges::none_of(
            secrets, [](const auth::Secret& secret) { return secret.bytes() == kDemoSecret; })) {
      continue;
    }
    AddErrorAt(draft.client_nodes[i], {"secrets"},
               "holds the demo secret, which is public, and `listen` has an address that other "
               "machines can reach",
               warnings);
  }
}

bool ShareASecret(const auth::ClientOptions& a, const auth::ClientOptions& b) {
  return std::ranges::any_of(a.secrets, [&](const auth::Secret& mine) {
    return std::ranges::any_of(
        b.secrets, [&](const auth::Secret& theirs) { return mine.bytes() == theirs.bytes(); });
  });
}

void WarnOfSharedSecrets(const Draft& draft, ConfigErrors& warnings) {
  const auto& clients = draft.config.clients;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!ShareASecret(clients[i], clients[j])) continue;
      AddErrorAt(
          draft.client_nodes[i], {"secrets"},
          "shares a secret with " + draft.client_nodes[j].path + ": each can impersonate the other",
          warnings);
    }
  }
}

}  // namespace

bool IsLoopback(const event::Endpoint& endpoint) {
  static const Cidr kLoopback4 = *Cidr::Parse("127.0.0.0/8");
  return !endpoint.unix_path.empty() || endpoint.host == "::1" ||
         kLoopback4.Contains(endpoint.host);
}

void WarnOfRisks(Draft& draft) {
  for (std::size_t i = 0; i < draft.config.routes.size(); ++i) {
    const auto& policy = draft.config.routes[i].idempotency;
    if (!policy) continue;
    WarnOfReleases(draft.route_nodes[i], *policy, draft.warnings);
    WarnOfScope(draft.route_nodes[i], *policy, draft.warnings);
    WarnOfLateLookUp(draft.route_nodes[i], *policy, draft.warnings);
    WarnOfShortUnknown(draft.route_nodes[i], *policy, draft.warnings);
  }
  WarnOfDemoSecret(draft, draft.warnings);
  WarnOfSharedSecrets(draft, draft.warnings);
}

}  // namespace idem::config

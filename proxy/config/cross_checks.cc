#include "proxy/config/cross_checks.h"

#include <algorithm>

#include "proxy/exchange/request_body.h"
#include "proxy/idempotency/lease.h"

namespace idem::config {

namespace {

using exchange::Route;
using idempotency::Policy;

constexpr std::uint64_t kHeldBodyMax = exchange::RequestBody::kHeldMax;

bool LeaseIsAuto(const Node& route) {
  const Node* idempotency = route.Find("idempotency");
  const Node* lease = idempotency == nullptr ? nullptr : idempotency->Find("lease");
  return lease == nullptr || lease->is_null() || lease->is_text("auto");
}

void CheckListeners(Draft& draft) {
  const auto& listen = draft.config.listen;
  for (std::size_t i = 0; i < draft.listener_nodes.size(); ++i) {
    const event::Endpoint& endpoint = listen[i].endpoint;
    const auto same = [&](const Listener& other) { return other.endpoint == endpoint; };
    const bool fixed = endpoint.port != 0 || !endpoint.unix_path.empty();
    const auto before = listen.begin() + static_cast<std::ptrdiff_t>(i);
    if (fixed && std::any_of(listen.begin(), before, same)) {
      AddError(draft.listener_nodes[i], "is already the address of another listener",
               draft.mistakes);
    }
    if (fixed && draft.config.admin == endpoint) {
      AddError(draft.listener_nodes[i], "is also the address of `admin`", draft.mistakes);
    }
  }
}

void CheckAuthentication(const Node& node, const Route& route, Draft& draft) {
  if (!route.authenticate) return;
  if (draft.client_nodes.empty()) {
    AddErrorAt(node, {"authenticate"}, "needs at least one client under `clients`", draft.mistakes);
    return;
  }
  std::vector<std::string_view> ids;
  for (const auto& client : draft.config.clients) ids.push_back(client.id);
  const bool uses_certificate = auth::TraitsOf(route.authenticate->scheme).uses_client_certificate;
  if (uses_certificate && !draft.asks_clients) {
    AddErrorAt(node, {"authenticate", "scheme"}, "needs a listener with `tls` and its `client_ca`",
               draft.mistakes);
  }
  const Node* list = node.Find("authenticate")->Find("clients");
  if (list == nullptr) return;
  for (const Node& item : list->items) {
    if (item.kind != Node::Kind::kText || item.broken) continue;
    if (std::ranges::find(ids, item.text) != ids.end()) continue;
    AddError(item, "is not the id of a client under `clients`" + DidYouMean(item.text, ids),
             draft.mistakes);
  }
}

void CheckLimitSubject(const Node& node, const Route& route, ConfigErrors& mistakes) {
  if (!route.rate_limit || route.authenticate) return;
  if (route.rate_limit->by != exchange::RateLimitOptions::By::kClient) return;
  AddErrorAt(node, {"rate_limit", "by"}, "needs `authenticate` on this route", mistakes);
}

void CheckBody(const Node& node, const Route& route, ConfigErrors& mistakes) {
  const bool enforces = route.idempotency && route.idempotency->mode == idempotency::Mode::kEnforce;
  if (!route.authenticate && !enforces) return;
  if (route.max_body <= kHeldBodyMax) return;
  AddErrorAt(node, {"max_body"},
             "must be at most 64MiB on a route with `authenticate` or `idempotency`, which hold "
             "the body in memory (its default is limits.body)",
             mistakes);
}

void CheckLease(const Node& node, const forward::UpstreamOptions& upstream, Policy& policy,
                Draft& draft) {
  const milliseconds covered = AutoLease(draft.config, upstream, policy.record_timeout);
  if (LeaseIsAuto(node) || policy.lease == milliseconds(0)) policy.lease = covered;
  if (policy.lease < covered) {
    const std::string shorter =
        "is shorter than every wait that an execution may have (auto: " + ToText(covered) + ")";
    if (policy.reconcile) {
      AddErrorAt(node, {"idempotency", "lease"}, shorter + ", which `reconcile` needs covered",
                 draft.mistakes);
    } else {
      AddErrorAt(node, {"idempotency", "lease"},
                 shorter + ": a slow request shows as unknown until it completes", draft.warnings);
    }
  }
  if (policy.ttl < 2 * policy.lease) {
    AddErrorAt(node, {"idempotency", "ttl"},
               "must be at least twice the lease, which is " + ToText(policy.lease),
               draft.mistakes);
  }
}

bool IsProtected(const Route& route) {
  return route.idempotency || route.authenticate || route.rate_limit;
}

bool Names(const std::vector<std::string>& methods, const std::vector<std::string>& others) {
  return methods.empty() || (!others.empty() && std::ranges::all_of(others, [&](const auto& other) {
           return exchange::NamesMethod(methods, other);
         }));
}

// Returns true if every request for `later` is taken by `earlier`.
bool Covers(const Route& earlier, const Route& later) {
  if (!earlier.host.empty() && earlier.host != later.host) return false;
  if (!Names(earlier.methods, later.methods)) return false;
  if (!earlier.prefix) return !later.prefix && earlier.path == later.path;
  const bool below = earlier.path == "/" || later.path.starts_with(earlier.path + "/");
  return below || later.path == earlier.path;
}

// Refuses a protected route that no request reaches.
void CheckReachable(std::size_t index, Draft& draft) {
  const Route& route = draft.config.routes[index];
  if (!IsProtected(route)) return;
  for (std::size_t i = 0; i < index; ++i) {
    const Route& earlier = draft.config.routes[i];
    if (route.path.empty() || earlier.path.empty() || !Covers(earlier, route)) continue;
    return AddErrorAt(draft.route_nodes[index], {route.prefix ? "path_prefix" : "path"},
                      "is never reached: route `" + earlier.name + "` (line " +
                          std::to_string(draft.route_nodes[i].place.line) +
                          ") takes its requests first. Put this route before it",
                      draft.mistakes);
  }
}

bool IsScopedByRoute(const Policy& policy) {
  return std::ranges::any_of(policy.scope, [](const auto& rule) {
    return rule.kind == idempotency::ScopeRule::Kind::kRoute;
  });
}

// Refuses two routes with the same look-up if equal keys of the two are different keys.
void CheckLookUp(std::size_t index, Draft& draft) {
  const Route& route = draft.config.routes[index];
  if (!route.idempotency || !route.idempotency->reconcile) return;
  for (std::size_t i = 0; i < index; ++i) {
    const Route& other = draft.config.routes[i];
    if (!other.idempotency || !other.idempotency->reconcile) continue;
    const bool same = other.upstream == route.upstream &&
                      other.idempotency->reconcile->get == route.idempotency->reconcile->get;
    const bool told_apart =
        IsScopedByRoute(*other.idempotency) || IsScopedByRoute(*route.idempotency);
    if (!same || !told_apart) continue;
    return AddErrorAt(draft.route_nodes[index], {"idempotency", "reconcile", "get"},
                      "is also the look-up of route `" + other.name +
                          "`: a scope with `route` makes equal keys of the two routes different "
                          "keys, but the look-up would find either effect. Use another look-up, or "
                          "remove `route` from both scopes",
                      draft.mistakes);
  }
}

// Returns the longest time that an exchange of the configuration may take.
milliseconds LongestExchange(const Config& config) {
  milliseconds longest{};
  for (const Route& route : config.routes) {
    const milliseconds bound =
        route.idempotency ? route.idempotency->lease
                          : AutoLease(config, config.upstreams[route.upstream], milliseconds(0));
    longest = std::max(longest, bound);
  }
  return longest;
}

}  // namespace

milliseconds AutoLease(const Config& config, const forward::UpstreamOptions& upstream,
                       milliseconds record_timeout) {
  return idempotency::RequiredLease({.store_timeout = config.store.timeout,
                                     .longest_wait = forward::LongestWait(upstream),
                                     .record_timeout = record_timeout});
}

void AddErrorAt(const Node& node, std::initializer_list<std::string_view> keys, std::string what,
                ConfigErrors& mistakes) {
  const Node* closest = &node;
  bool there = true;
  std::string path = node.path;
  for (const std::string_view key : keys) {
    path = JoinPath(path, key);
    const Node* next = there ? closest->Find(key) : nullptr;
    there = next != nullptr;
    if (there) {
      closest = next;
      path = next->path;
    }
  }
  mistakes.Add(closest->place, std::move(path), std::move(what));
}

void CheckWhole(Draft& draft) {
  Config& config = draft.config;
  CheckListeners(draft);
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const Node& node = draft.route_nodes[i];
    Route& route = config.routes[i];
    CheckAuthentication(node, route, draft);
    CheckLimitSubject(node, route, draft.mistakes);
    CheckBody(node, route, draft.mistakes);
    CheckLookUp(i, draft);
    CheckReachable(i, draft);
    if (route.upstream >= config.upstreams.size()) return;  // an error was already reported
    if (route.idempotency) {
      CheckLease(node, config.upstreams[route.upstream], *route.idempotency, draft);
    }
  }
  if (draft.shutdown_grace_auto) config.shutdown_grace = LongestExchange(config);
}

}  // namespace idem::config

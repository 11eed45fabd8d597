// Finds the changes that a reload may not make (semantics.md, "Changing the configuration").
#include <algorithm>

#include "proxy/config/config.h"

namespace idem::config {

namespace {

using exchange::Route;
using idempotency::ScopeRule;

std::string FromTo(const std::string& from, const std::string& to) {
  return "from `" + from + "` to `" + to + "`";
}

void CompareStores(const store::StoreOptions& a, const store::StoreOptions& b,
                   std::vector<RestartOnlyChange>& changed) {
  const auto compare = [&](const char* key, bool same) {
    if (!same) changed.push_back({key, ""});
  };
  compare("store.type", a.type == b.type);
  compare("store.path", a.path == b.path);
  compare("store.durability", a.durability == b.durability);
  compare("store.max_size", a.max_size == b.max_size);
  compare("store.max_unrecorded", a.max_unrecorded == b.max_unrecorded);
  compare("store.url", a.url == b.url);
  if (a.key_prefix != b.key_prefix) {
    changed.push_back({"store.key_prefix", FromTo(a.key_prefix, b.key_prefix)});
  }
  compare("store.wait_replicas", a.wait_replicas == b.wait_replicas);
  compare("store.require_durable", a.require_durable == b.require_durable);
  compare("store.timeout", a.timeout == b.timeout);
}

std::string TextOf(const std::vector<ScopeRule>& scope) {
  std::string text;
  for (const ScopeRule& rule : scope) {
    text += text.empty() ? "[" : ", ";
    switch (rule.kind) {
      case ScopeRule::Kind::kClient:
        text += "client";
        break;
      case ScopeRule::Kind::kRoute:
        text += "route";
        break;
      case ScopeRule::Kind::kHeader:
        text += "header:" + rule.header;
        break;
    }
  }
  return text.empty() ? "[]" : text + "]";
}

bool Enforces(const Route& route) {
  return route.idempotency && route.idempotency->mode == idempotency::Mode::kEnforce;
}

bool SameRequests(const Route& a, const Route& b) {
  return a.path == b.path && a.prefix == b.prefix && a.host == b.host && a.methods == b.methods;
}

// Reports changes after which earlier records of the route would not be found. A route that only
// observes is left out: when it begins to enforce, its scope is compared with the store's.
void CompareRoutes(const Route& a, const Route& b, std::vector<RestartOnlyChange>& changed) {
  if (!Enforces(a) || !Enforces(b)) return;
  const std::string route = "routes." + a.name + ".";
  if (a.name != b.name) changed.push_back({route + "name", FromTo(a.name, b.name)});
  const std::string& header = a.idempotency->header;
  if (!http::EqualsIgnoreCase(header, b.idempotency->header)) {
    changed.push_back({route + "idempotency.header", FromTo(header, b.idempotency->header)});
  }
  const std::string scope = TextOf(a.idempotency->scope);
  const std::string next_scope = TextOf(b.idempotency->scope);
  if (scope != next_scope) {
    changed.push_back({route + "idempotency.scope", FromTo(scope, next_scope)});
  }
}

// Returns true if both have the same certificate or share a secret.
bool AreOneCaller(const auth::ClientOptions& a, const auth::ClientOptions& b) {
  if (!a.certificate_subject.empty() && a.certificate_subject == b.certificate_subject) return true;
  return std::ranges::any_of(a.secrets, [&](const auth::Secret& mine) {
    return std::ranges::any_of(
        b.secrets, [&](const auth::Secret& theirs) { return mine.bytes() == theirs.bytes(); });
  });
}

// A removed client may no longer call, which is allowed. A client with a new id and the same secret
// or certificate was renamed, and its earlier keys would be forgotten.
void CompareClients(const auth::Clients& running, const auth::Clients& next,
                    std::vector<RestartOnlyChange>& changed) {
  for (const auth::ClientOptions& client : running) {
    if (auth::FindClient(next, client.id) != nullptr) continue;
    const auto renamed = std::ranges::find_if(next, [&](const auth::ClientOptions& other) {
      return AreOneCaller(client, other) && auth::FindClient(running, other.id) == nullptr;
    });
    if (renamed == next.end()) continue;
    changed.push_back({"clients." + client.id + ".id", FromTo(client.id, renamed->id)});
  }
}

}  // namespace

std::vector<RestartOnlyChange> RestartOnlyChanges(const Config& running, const Config& next) {
  std::vector<RestartOnlyChange> changed;
  if (running.workers != next.workers) changed.push_back({"workers", ""});
  if (running.admin != next.admin) changed.push_back({"admin", ""});
  CompareStores(running.store, next.store, changed);
  for (const Route& route : running.routes) {
    auto same = std::ranges::find_if(next.routes,
                                     [&](const Route& other) { return other.name == route.name; });
    if (same == next.routes.end()) {
      same = std::ranges::find_if(next.routes,
                                  [&](const Route& other) { return SameRequests(route, other); });
    }
    if (same != next.routes.end()) CompareRoutes(route, *same, changed);
  }
  CompareClients(running.clients, next.clients, changed);
  return changed;
}

}  // namespace idem::config

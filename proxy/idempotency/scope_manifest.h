// What decides where records lie, and which requests are the same, as the store holds it and as a
// configuration has it (semantics.md, "Changing the configuration"). Pure.
//
// The store holds it as text in the note `scopes`, a line for each route that ever was, below each
// prefix that ever was:
//
//   idemproxy-scopes/1
//   prefix=idemp: route=orders state=active header=idempotency-key scope=client,route clients=shop
//       gone=old-shop                                                 (one line, single blanks)
//
// Words are percent-encoded, lists joined with commas; none is an empty word. A route or a client
// that a configuration no longer has is kept as `state=gone`, or in `gone`: its records still lie
// there.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace idem::idempotency {

/// One route with idempotency, as a configuration has it.
struct RouteScope {
  std::string name;                  // part of every fingerprint, and of some scopes
  std::string header;                // of the key, in lower case
  std::vector<std::string> scope;    // "client", "route", "header:x-tenant", in their order
  std::vector<std::string> clients;  // ids of those who may call it; empty: it asks nobody. Part of
                                     // every fingerprint too
  bool operator==(const RouteScope&) const = default;
};

struct RecordedRoute {
  bool active = true;
  std::string header;
  std::vector<std::string> scope;
  std::vector<std::string> clients;
  std::vector<std::string> gone_clients;
  bool operator==(const RecordedRoute&) const = default;
};

/// All that the store holds: by prefix, then by the route's name.
using ScopeManifest = std::map<std::string, std::map<std::string, RecordedRoute>>;

[[nodiscard]] std::string ToText(const ScopeManifest& scopes);
/// kCorrupt for what ToText() did not write: another version's, perhaps.
[[nodiscard]] Result<ScopeManifest> ParseScopes(std::string_view text);

struct ScopeComparison {
  /// By what earlier keys would be forgotten: a sentence for each, which names both values. Empty:
  /// nothing is forgotten.
  std::vector<std::string> differences;
  /// What the store is to hold once the configuration serves.
  ScopeManifest next;
};

/// Routes and clients may come, and may go. One that has gone while an unknown one came may be the
/// same under another name, and that is a difference.
[[nodiscard]] ScopeComparison CompareScopes(const ScopeManifest& held, const std::string& prefix,
                                            const std::vector<RouteScope>& routes);

}  // namespace idem::idempotency

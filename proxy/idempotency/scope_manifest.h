// The settings that decide how records are named and which requests are the same: as the store
// holds them and as a configuration has them (semantics.md, "Changing the configuration"). Pure.
//
// The store holds the manifest as text in the note `scopes`: one line for each route and prefix
// that were ever configured.
//
//   idemproxy-scopes/1
//   prefix=idemp: route=orders state=active header=idempotency-key scope=client,route clients=shop
//       gone=old-shop                                                 (one line, single blanks)
//
// Words are percent-encoded and lists are joined with commas; an empty list is an empty word. A
// route that a configuration no longer has is kept as `state=gone`, and a client is kept in `gone`,
// because their records are still in the store.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace idem::idempotency {

/// One route with idempotency in a configuration.
struct RouteScope {
  std::string name;                // part of every fingerprint, and of some scopes
  std::string header;              // field of the key, in lower case
  std::vector<std::string> scope;  // "client", "route", "header:x-tenant", in their order
  // Ids of the clients that may call it; empty without authentication. They are part of every
  // fingerprint.
  std::vector<std::string> clients;
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

/// All routes that the store holds, by prefix, then by the route's name.
using ScopeManifest = std::map<std::string, std::map<std::string, RecordedRoute>>;

[[nodiscard]] std::string ToText(const ScopeManifest& scopes);
/// Returns kCorrupt for a text that ToText() cannot have written, for example one of another
/// version.
[[nodiscard]] Result<ScopeManifest> ParseScopes(std::string_view text);

struct ScopeComparison {
  /// One sentence, with both values, for each difference that would make the proxy forget earlier
  /// keys. Empty if there is none.
  std::vector<std::string> differences;
  /// The manifest to store once the configuration serves.
  ScopeManifest next;
};

/// Compares a configuration with the stored manifest. Routes and clients may come and go. One that
/// has gone while an unknown one came may be the same under another name, and that is a difference.
[[nodiscard]] ScopeComparison CompareScopes(const ScopeManifest& held, const std::string& prefix,
                                            const std::vector<RouteScope>& routes);

}  // namespace idem::idempotency

// The configuration: one YAML file, read into each part's own Options (docs/configuration.md).
//
// LoadFile() returns a Config whose values have all been checked, or all errors of the file with
// their places. It also reads certificates and keys, so that the checked files are the ones in use.
// A start and a reload use the same function. RestartOnlyChanges() returns the changes that a
// reload may not make. A Config is a value and immutable once it is in force.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/auth/client_credentials.h"
#include "proxy/base/cidr.h"
#include "proxy/base/log.h"
#include "proxy/config/yaml/config_error.h"
#include "proxy/config/yaml/environment_substitution.h"
#include "proxy/event/address.h"
#include "proxy/exchange/claim/claim_options.h"
#include "proxy/exchange/rules/router.h"
#include "proxy/forward/forward_options.h"
#include "proxy/http_server/server.h"
#include "proxy/store/store_options.h"

namespace idem::config {

/// One address that callers may use.
struct Listener {
  event::Endpoint endpoint;
  http_server::ServerTls tls = nullptr;  // null: plain HTTP
};

struct Config {
  std::vector<Listener> listen = {{{"0.0.0.0", 8080, ""}}};                       // never empty
  std::optional<event::Endpoint> admin = event::Endpoint{"127.0.0.1", 9901, ""};  // nullopt: off
  std::optional<auth::Secret> admin_token;     // nullopt: the admin listener needs no token
  unsigned workers = 1;                        // from 1; `auto` is resolved to the number of cores
  log::Options log;                            // level and format
  std::chrono::milliseconds shutdown_grace{};  // `auto` is resolved to the longest lease
  std::vector<Cidr> trusted_proxies;           // peers whose X-Forwarded-* is trusted

  http_server::Options server;  // `limits:`
  exchange::Options exchange;   // derived from `limits:` and `store:`
  store::StoreOptions store;

  auth::Clients clients;  // ids are distinct; each has a secret or a certificate's subject
  /// The upstreams under `upstreams:`, then each URL that a route gives instead of a name.
  std::vector<forward::UpstreamOptions> upstreams;
  /// In the file's order, `defaults:` applied. Names are distinct; `upstream` is an index into
  /// upstreams; a scheme `none` is no `authenticate`; leases are computed, never zero.
  std::vector<exchange::Route> routes;

  std::vector<ConfigError> warnings;  // allowed but risky settings
};

using LoadResult = std::variant<Config, std::vector<ConfigError>>;  // the list is never empty

/// Reads the file and the secrets files that it names. Errors and warnings are in the order of
/// their places. They never contain a value from the environment or from a secrets file.
[[nodiscard]] LoadResult LoadFile(const std::string& path, const Environment& environment);
/// Reads a text. `file` is the file name in its errors.
[[nodiscard]] LoadResult LoadText(const std::string& file, std::string_view text,
                                  const Environment& environment);

/// A changed setting that a reload may not change.
struct RestartOnlyChange {
  std::string key;     // "store.url"
  std::string change;  // "from `[client]` to `[]`" if it forms record keys; otherwise empty
  bool operator==(const RestartOnlyChange&) const = default;
};

/// A reload with any such change is refused completely (semantics.md, "Changing the
/// configuration").
[[nodiscard]] std::vector<RestartOnlyChange> RestartOnlyChanges(const Config& running,
                                                                const Config& next);

}  // namespace idem::config

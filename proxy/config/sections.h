// Readers of the sections of the file. Each fills its part of a Draft.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/config/yaml/map_reader.h"

namespace idem::config {

/// The configuration while it is read. CheckWhole() checks references at the end.
struct Draft {
  explicit Draft(const std::string& file) : mistakes(file), warnings(file) {}

  Config config;
  ConfigErrors mistakes;
  ConfigErrors warnings;
  bool shutdown_grace_auto = true;
  std::uint64_t body_max = 1 << 20;  // limits.body: the default of a route's max_body
  bool asks_clients = false;         // a listener has a client_ca
  std::vector<Node> listener_nodes;  // beside config.listen
  std::vector<Node> client_nodes;    // beside config.clients
  std::vector<Node> route_nodes;     // beside config.routes: with `defaults` below
};

/// Range of every wait for which a section has no narrower range.
inline constexpr TimeRange kWaitRange{milliseconds(1), std::chrono::hours(24)};

/// Range of a body. On routes that hold it in memory, cross_checks.cc has a lower limit.
inline constexpr NumberRange kBodyRange{0, 1ULL << 40};

void ReadProcess(MapReader& root, Draft& draft);    // listen, admin, workers, log, ...
void ReadLimits(MapReader& root, Draft& draft);     // limits
void ReadStore(MapReader& root, Draft& draft);      // store
void ReadClients(MapReader& root, Draft& draft);    // clients, and the secrets files
void ReadUpstreams(MapReader& root, Draft& draft);  // upstreams
void ReadRoutes(MapReader& root, Draft& draft);     // defaults, routes; after all above

/// Reads `tls` of a listener and the files that it names. Returns null if there is none, or after
/// an error.
[[nodiscard]] http_server::ServerTls ReadListenerTls(MapReader& listener, Draft& draft);
/// Reads `tls` of an upstream and the files that it names. Called after the URL was read.
void ReadUpstreamTls(MapReader& upstream, forward::UpstreamOptions& options, Draft& draft);

/// Returns the index of the upstream that a route names, and adds an upstream for a URL. Returns
/// nullopt after an error.
std::optional<std::size_t> ReadUpstreamOfRoute(const Node& value, Draft& draft);

void ReadAuthenticate(MapReader& route, exchange::Route& to, ConfigErrors& mistakes);
void ReadRateLimit(MapReader& route, exchange::Route& to, ConfigErrors& mistakes);
/// Called after ReadAuthenticate(), on which the default scope depends. Leaves `lease: auto` zero;
/// CheckWhole() resolves it.
void ReadIdempotency(MapReader& route, exchange::Route& to, ConfigErrors& mistakes);

/// Returns `authenticate`, `rate_limit` or `idempotency` of a route, or nullptr if it is absent or
/// `off`. Reports an error if it is empty, which could mean its defaults or nothing.
const Node* FindSwitch(MapReader& route, std::string_view key);

/// Reads a list of methods (below: of field names). Reports an error for each wrong item.
void ReadMethods(MapReader& map, std::string_view key, std::vector<std::string>& to,
                 ConfigErrors& mistakes);
void ReadFieldName(MapReader& map, std::string_view key, std::string& to);
/// Returns the names in lower case.
void ReadFieldNames(MapReader& map, std::string_view key, std::vector<std::string>& to,
                    ConfigErrors& mistakes);

/// Parses `http://host:port` or `http://unix:/path`. The detail of an error is a predicate.
struct UpstreamUrl {
  event::Endpoint endpoint;
  bool tls = false;
};
[[nodiscard]] Result<UpstreamUrl> ParseUpstreamUrl(std::string_view text);

}  // namespace idem::config

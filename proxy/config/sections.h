// The sections of the file, each read by a function of its own, into a Draft.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/config/yaml/map_reader.h"

namespace idem::config {

/// The configuration while it is read. What refers to what is looked at last, in checks.cc, when
/// all is there.
struct Draft {
  explicit Draft(const std::string& file) : mistakes(file), warnings(file) {}

  Config config;
  ConfigErrors mistakes;
  ConfigErrors warnings;
  bool shutdown_grace_auto = true;
  std::uint64_t body_max = 1 << 20;  // limits.body: the default of a route's max_body
  bool asks_clients = false;         // some listener has a client_ca
  std::vector<Node> listener_nodes;  // beside config.listen
  std::vector<Node> client_nodes;    // beside config.clients
  std::vector<Node> route_nodes;     // beside config.routes: with `defaults` below
};

/// What every wait may be, where a section says nothing narrower.
inline constexpr TimeRange kWaitRange{milliseconds(1), std::chrono::hours(24)};

/// Of a body; where it is held in memory, kHeldBodyMax bounds it (checks.cc).
inline constexpr NumberRange kBodyRange{0, 1ULL << 40};

void ReadProcess(MapReader& root, Draft& draft);    // listen, admin, workers, log, ...
void ReadLimits(MapReader& root, Draft& draft);     // limits
void ReadStore(MapReader& root, Draft& draft);      // store
void ReadClients(MapReader& root, Draft& draft);    // clients, and the secrets files
void ReadUpstreams(MapReader& root, Draft& draft);  // upstreams
void ReadRoutes(MapReader& root, Draft& draft);     // defaults, routes; after all above

/// `tls` of a listener, and the files that it names; null where there is none, or a mistake.
[[nodiscard]] http_server::ServerTls ReadListenerTls(MapReader& listener, Draft& draft);
/// `tls` of an upstream, after its URL, and the files that it names.
void ReadUpstreamTls(MapReader& upstream, forward::UpstreamOptions& options, Draft& draft);

/// The index of the upstream that a route names; one for a URL is added. nullopt: a mistake.
std::optional<std::size_t> ReadUpstreamOfRoute(const Node& value, Draft& draft);

void ReadAuthenticate(MapReader& route, exchange::Route& to, ConfigErrors& mistakes);
void ReadRateLimit(MapReader& route, exchange::Route& to, ConfigErrors& mistakes);
/// After ReadAuthenticate(), on which the default scope depends. `lease: auto` is left zero, for
/// checks.cc.
void ReadIdempotency(MapReader& route, exchange::Route& to, ConfigErrors& mistakes);

/// `authenticate`, `rate_limit` or `idempotency` of a route: nullptr where it has none (absent, or
/// `off`). One that is empty is a mistake: nobody can tell whether its defaults are meant or
/// nothing.
const Node* FindSwitch(MapReader& route, std::string_view key);

/// Each of a list must be a method (or a field's name, below); one that is not is a mistake.
void ReadMethods(MapReader& map, std::string_view key, std::vector<std::string>& to,
                 ConfigErrors& mistakes);
void ReadFieldName(MapReader& map, std::string_view key, std::string& to);
/// In lower case.
void ReadFieldNames(MapReader& map, std::string_view key, std::vector<std::string>& to,
                    ConfigErrors& mistakes);

/// `http://host:port` or `http://unix:/path` into an endpoint. An error is a predicate, as in
/// scalars.h.
struct UpstreamUrl {
  event::Endpoint endpoint;
  bool tls = false;
};
[[nodiscard]] Result<UpstreamUrl> ParseUpstreamUrl(std::string_view text);

}  // namespace idem::config

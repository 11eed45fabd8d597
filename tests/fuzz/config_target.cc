// Configuration files. Every text loads as a consistent configuration or returns errors with
// positions, and no error shows a value from the environment.
#include <algorithm>
#include <set>

#include "proxy/config/config.h"
#include "tests/fuzz/fuzz_target.h"

namespace idem::fuzz {

namespace {

using config::Config;
using config::ConfigError;
using config::LoadResult;

constexpr std::string_view kSecret = "kept-to-itself";

std::optional<std::string> Variable(const std::string& name) {
  if (name == "SECRET") return std::string(kSecret);
  if (name == "NUMBER") return "7";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

// A device or a process's file may block, or never end. Naming one is the operator's own risk.
bool NamesDevice(std::string_view text) {
  return text.find("/dev") != std::string_view::npos ||
         text.find("/proc") != std::string_view::npos;
}

void CheckPlaces(const std::vector<ConfigError>& mistakes, std::string_view text) {
  const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  config::SourcePosition last;
  for (const ConfigError& mistake : mistakes) {
    const std::string shown = mistake.ToText();
    // yaml-cpp also ends a line at a lone CR, so a text may have more lines than LFs.
    const bool more_lines = text.find('\r') != std::string_view::npos;
    Demand(mistake.place.line >= 1 && (mistake.place.line <= lines + 1 || more_lines),
           "a mistake has a line", shown);
    Demand(mistake.place.column >= 1, "a mistake has a column", shown);
    Demand(!mistake.what.empty(), "a mistake says what is wrong", shown);
    Demand(last <= mistake.place, "mistakes are in the order of their places", shown);
    const bool in_the_text = text.find(kSecret) != std::string_view::npos;
    Demand(shown.find(kSecret) == std::string::npos || in_the_text,
           "a mistake shows nothing of the environment", shown);
    last = mistake.place;
  }
}

void CheckConfig(const Config& config) {
  Demand(!config.listen.empty() && config.workers >= 1, "it listens, and has a worker");
  Demand(!config.routes.empty(), "it has a route");
  std::set<std::string_view> names;
  for (const exchange::Route& route : config.routes) {
    Demand(names.insert(route.name).second, "routes' names are distinct", route.name);
    Demand(route.upstream < config.upstreams.size(), "a route has its upstream", route.name);
    Demand(!route.idempotency || route.idempotency->lease.count() > 0, "a lease lasts", route.name);
    Demand(!route.authenticate || !config.clients.empty(), "who authenticates knows a client",
           route.name);
  }
  for (const auto& upstream : config.upstreams) {
    Demand(!upstream.endpoints.empty(), "an upstream has an address", upstream.name);
  }
  for (const auto& client : config.clients) {
    Demand(!client.secrets.empty(), "a client has a secret", client.id);
  }
  Demand(RestartOnlyChanges(config, config).empty(), "a configuration may be reloaded as itself");
}

constexpr std::string_view kProcess[] = {
    "listen: 127.0.0.1:8080\n",
    "listen: [\"[::1]:80\", \"unix:/run/x.sock\"]\n",
    "admin: off\n",
    "admin: { listen: 127.0.0.1:1 }\n",
    "workers: 2\n",
    "workers: ${NUMBER}\n",
    "log: { level: warn, format: text }\n",
    "shutdown_grace: 45s\n",
    "trusted_proxies: [10.0.0.0/8, \"fd00::/8\"]\n",
    "limits:\n  connections: 10\n  request_line: 4KiB\n  body: 2MiB\n  idle_timeout: 1m\n",
    "store: { type: memory, timeout: 250ms }\n",
    "store:\n  type: redis\n  url: redis://u:p@h:6379/3\n  wait_replicas: 1\n",
    "store: { type: embedded, path: ./x, durability: os, max_size: 1GiB }\n"};
constexpr std::string_view kAuthenticate[] = {
    "{ scheme: hmac-body }", "{ scheme: none }", "off",
    "{ scheme: hmac-body, header: X-Sig, client_header: X-Who }"};
constexpr std::string_view kRateLimit[] = {
    "{ requests: 10, per: 1m, by: address }", "{ requests: 3, per: 5s, by: \"header:X-Tenant\" }",
    "{ requests: 100000, per: 1h, by: address, algorithm: token_bucket, on_store_error: deny }"};
constexpr std::string_view kIdempotency[] = {
    "{}", "{ scope: [route], ttl: 7d, in_progress: reject }",
    "\n      lease: 2m\n      ttl: 24h\n      methods: [POST]\n      header: X-Key\n      "
    "required: false",
    "\n      fingerprint: { body: json, headers: [a, b], ignore: [/a/b] }\n      "
    "responses: { record: [409], release: [503], unknown: [5xx] }",
    "{ scope: [], mismatch_status: 422, in_progress_status: 409, unknown_status: 502, "
    "max_waiters_per_key: ${NUMBER}, replay_drop: [] }"};

std::string MakeRoute(Dice& dice, std::size_t number) {
  const std::string path = "/p" + std::to_string(number);
  std::string route = dice.OneIn(3) ? "  - path_prefix: " : "  - path: ";
  route += path + dice.Pick({"", "/x", "/%41"}) + "\n";
  if (dice.OneIn(3)) route += "    name: r" + std::to_string(number) + "\n";
  route += "    upstream: " + dice.Pick({"a", "http://127.0.0.1:9000", "http://h:80"}) + "\n";
  if (dice.OneIn(3)) route += "    methods: [GET, POST]\n";
  if (dice.OneIn(3)) route += "    max_body: 64KiB\n";
  const auto add = [&](std::string_view key, std::span<const std::string_view> values) {
    if (!dice.OneIn(2)) return;
    route.append("    ").append(key).append(": ").append(dice.Pick(values)).append("\n");
  };
  add("authenticate", kAuthenticate);
  add("rate_limit", kRateLimit);
  add("idempotency", kIdempotency);
  return route;
}

}  // namespace

bool Try(std::string_view input) {
  if (NamesDevice(input)) return false;
  const LoadResult loaded = config::LoadText("f", input, Variable);
  if (const auto* mistakes = std::get_if<std::vector<ConfigError>>(&loaded)) {
    Demand(!mistakes->empty(), "a refusal has a mistake");
    CheckPlaces(*mistakes, input);
    return false;
  }
  const Config& config = std::get<Config>(loaded);
  CheckPlaces(config.warnings, input);
  CheckConfig(config);
  return true;
}

std::string Make(Dice& dice) {
  std::string text;
  for (std::size_t i = 0; i < std::size(kProcess); ++i) {
    if (!dice.OneIn(6)) continue;
    const std::string key(kProcess[i].substr(0, kProcess[i].find(':') + 1));
    if (text.find(key) == std::string::npos) text += kProcess[i];
  }
  text += "clients:\n  - { id: c, secrets: [\"${SECRET}\"] }\n";
  text += "upstreams:\n  a:\n    url: " +
          dice.Pick({"http://127.0.0.1:9000", "http://[::1]:1", "http://unix:/x", "http://h:80"}) +
          "\n    response_timeout: " + dice.Pick({"5s", "1m", "${UNSET:-3s}"}) + "\n";
  text += "routes:\n";
  const std::size_t routes = 1 + dice.Below(3);
  for (std::size_t number = 0; number < routes; ++number) text += MakeRoute(dice, number);
  return text;
}

}  // namespace idem::fuzz

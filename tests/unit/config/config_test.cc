// The values that good files are read as.
#include "proxy/config/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

#include "tests/unit/config/support.h"

namespace idem::config {

using namespace std::chrono_literals;

namespace {

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file.good(), path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// g++ 12 cannot compile <regex> with -Wall and AddressSanitizer, because its own header warns.
constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyz_";

std::vector<std::string_view> WordsOf(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0, end = 0;; begin = end) {
    begin = text.find_first_of(kNameCharacters, begin);
    if (begin == std::string_view::npos) return words;
    end = std::min(text.find_first_not_of(kNameCharacters, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
  }
}

// Returns whether `name` is in `yaml` as a whole word before a colon, or in a flow mapping without
// a value.
bool IsKeyOf(std::string_view yaml, std::string_view name) {
  for (std::size_t at = yaml.find(name); at != std::string_view::npos;
       at = yaml.find(name, at + 1)) {
    const std::size_t after = at + name.size();
    const bool begins = at == 0 || kNameCharacters.find(yaml[at - 1]) == std::string_view::npos;
    const bool ends =
        after < yaml.size() && std::string_view(":,}").find(yaml[after]) != std::string_view::npos;
    if (begins && ends) return true;
  }
  return false;
}

std::string Shipped(const std::string& name) { return IDEM_SOURCE_DIR "/config/" + name; }

// Every key, except for those that this version does not have.
constexpr const char* kEveryKey = R"(
listen: 0.0.0.0:8080
admin: { listen: 127.0.0.1:9901 }
workers: auto
log: { level: info, format: json }
shutdown_grace: auto
trusted_proxies: []
limits:
  connections: 10000
  request_line: 8KiB
  headers: 32KiB
  header_count: 100
  body: 1MiB
  header_timeout: 10s
  body_timeout: 30s
  idle_timeout: 75s
store:
  type: embedded
  path: ./var/idemproxy
  durability: fsync
  max_size: 16GiB
  max_unrecorded: 64MiB
  url: redis://127.0.0.1:6379/0
  key_prefix: "idemp:"
  wait_replicas: 0
  require_durable: false
  timeout: 500ms
clients:
  - id: default
    secrets: ["super-secret-key"]
upstreams:
  orders:
    url: http://127.0.0.1:9000
    tls: { ca: /etc/ssl/certs/ca-certificates.crt, certificate: , key: , server_name: , verify: true }
    connect_timeout: 2s
    response_timeout: 30s
    claim_idle: 1s
    keepalive: 64
    idle_timeout: 15s
    max_in_flight: 1024
    queue_timeout: 1s
defaults: {}
routes:
  - name: orders
    path: /orders
    methods: [POST]
    host: pay.example.com
    upstream: orders
    strict_paths: true
    override_fields: []
    max_body: 1MiB
    authenticate:
      scheme: hmac-body
      header: X-Signature
      clients: [default]
      client_header: X-Client-Id
    rate_limit:
      requests: 10
      per: 1m
      by: address
      algorithm: sliding_window
      on_store_error: allow
    idempotency:
      mode: enforce
      methods: [POST, PATCH]
      header: Idempotency-Key
      required: true
      scope: [client]
      ttl: 24h
      unknown_ttl: 30d
      fingerprint: { body: raw, headers: [content-type], decode: true, ignore: [] }
      mismatch_status: 409
      in_progress_status: 503
      unknown_status: auto
      in_progress: wait
      wait_timeout: 30s
      max_waiters_per_key: 16
      lease: auto
      record_timeout: 2s
      max_recorded_body: 1MiB
      upstream_idempotent: false
      replay_drop: [set-cookie, www-authenticate, alt-svc, retry-after]
      responses: { record: [], release: [], unknown: [] }
)";

// The same configuration with every value left to its default.
constexpr const char* kDefaults = R"(
clients:
  - { id: default, secrets: ["super-secret-key"] }
upstreams: { orders: { url: "http://127.0.0.1:9000" } }
routes:
  - name: orders
    path: /orders
    upstream: orders
    authenticate: { scheme: hmac-body }
    rate_limit: { requests: 10, per: 1m }
    idempotency: {}
)";

// Writes a configuration value by value, so that two can be compared and a difference read.
class Description {
 public:
  explicit Description(const Config& config) {
    for (const auto& listener : config.listen) Line("listen", listener.endpoint.ToText());
    Line("admin", config.admin ? config.admin->ToText() : "off");
    Line("workers", config.workers);
    Line("log", static_cast<int>(config.log.level), static_cast<int>(config.log.format));
    Line("shutdown_grace", config.shutdown_grace.count());
    Line("trusted_proxies", config.trusted_proxies.size());
    AddLimits(config.server, config.exchange);
    AddStore(config.store);
    for (const auto& client : config.clients) {
      Line("client", client.id);
      for (const auto& secret : client.secrets) Line("secret", secret.bytes());
    }
    for (const auto& upstream : config.upstreams) AddUpstream(upstream);
    for (const auto& route : config.routes) AddRoute(route);
  }

  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  template <class... Values>
  void Line(const char* name, const Values&... values) {
    text_ << name;
    ((text_ << ' ' << values), ...);
    text_ << '\n';
  }
  void Lines(const char* name, const std::vector<std::string>& values) {
    for (const std::string& value : values) Line(name, value);
  }

  void AddLimits(const http_server::Options& server, const exchange::Options& exchange) {
    Line("limits", server.connections_max, server.parser.request_line_bytes,
         server.parser.header_bytes, server.parser.header_count, server.header_timeout.count(),
         server.body_timeout.count(), server.idle_timeout.count());
    Line("exchange", exchange.store_timeout.count(), exchange.max_unrecorded_bytes,
         exchange.waiters_max, exchange.waiter_bytes_max);
  }
  void AddStore(const store::StoreOptions& store) {
    Line("store", static_cast<int>(store.type), store.path, static_cast<int>(store.durability),
         store.max_size, store.max_unrecorded, store.url, store.key_prefix, store.wait_replicas,
         store.require_durable, store.timeout.count());
  }
  void AddUpstream(const forward::UpstreamOptions& upstream) {
    Line("upstream", upstream.name, upstream.tls.has_value(), upstream.connect_timeout.count(),
         upstream.response_timeout.count(), upstream.claim_idle.count(), upstream.keepalive,
         upstream.idle_timeout.count(), upstream.max_in_flight, upstream.queue_timeout.count());
    for (const auto& endpoint : upstream.endpoints) Line("at", endpoint.ToText());
  }
  void AddRoute(const exchange::Route& route) {
    Line("route", route.name, route.path, route.prefix, route.host, route.upstream, route.max_body,
         route.strict_paths);
    Lines("may pass", route.override_fields);
    Lines("method", route.methods);
    if (route.authenticate) {
      Line("authenticate", auth::SchemeName(route.authenticate->scheme), route.authenticate->header,
           route.authenticate->client_header);
      Lines("may", route.authenticate->clients);
    }
    if (const auto& limit = route.rate_limit) {
      Line("rate_limit", limit->rule.requests, limit->rule.per.count(),
           static_cast<int>(limit->rule.algorithm), limit->rule.burst, static_cast<int>(limit->by),
           limit->header, limit->allow_on_store_error);
    }
    if (route.idempotency) AddPolicy(*route.idempotency);
  }
  void AddPolicy(const idempotency::Policy& policy) {
    Line("idempotency", static_cast<int>(policy.mode), policy.header, policy.required,
         policy.recipe.ToId(), policy.ttl.count(), policy.unknown_ttl.count(),
         policy.mismatch_status, policy.in_progress_status, policy.unknown_status,
         static_cast<int>(policy.in_progress), policy.wait_timeout.count(),
         policy.max_waiters_per_key, policy.lease.count(), policy.record_timeout.count(),
         policy.max_recorded_body, policy.upstream_idempotent, policy.reconcile.has_value());
    if (policy.reconcile) {
      const auto& rule = *policy.reconcile;
      Line("reconcile", rule.get, rule.found, rule.found_when, rule.after.count(),
           rule.interval.count());
      for (const auto& [name, value] : rule.headers) Line("with", name, value);
    }
    Lines("covers", policy.methods);
    Lines("drop", policy.replay_drop);
    for (const auto& rule : policy.scope) Line("scope", static_cast<int>(rule.kind), rule.header);
    for (const auto& entry : policy.overrides) {
      Line("override", entry.first, entry.last, static_cast<int>(entry.ending));
    }
  }

  std::ostringstream text_;
};

std::string Describe(const Config& config) { return Description(config).text(); }

}  // namespace

TEST_CASE("the smallest useful file of the manual loads") {
  const Config config = GoodText(R"(
clients:
  - id: shop
    secrets: ["${SHOP_SECRET}"]

routes:
  - path: /orders
    upstream: http://127.0.0.1:9000
    authenticate: { scheme: hmac-body }
    rate_limit: { requests: 10, per: 1m }
    idempotency: {}
)",
                                 {{"SHOP_SECRET", "s3cret"}});
  CHECK(config.warnings.empty());
  REQUIRE(config.clients.size() == 1);
  CHECK(config.clients[0].secrets.at(0).bytes() == "s3cret");
  REQUIRE(config.upstreams.size() == 1);
  CHECK(config.upstreams[0].endpoints.at(0).ToText() == "127.0.0.1:9000");
  REQUIRE(config.routes.size() == 1);
  const exchange::Route& route = config.routes[0];
  CHECK(route.name == "/orders");
  REQUIRE(route.authenticate);
  REQUIRE(route.rate_limit);
  CHECK(route.rate_limit->rule.requests == 10);
  CHECK(route.rate_limit->rule.per == 1min);
  REQUIRE(route.idempotency);
  REQUIRE(route.idempotency->scope.size() == 1);
  CHECK(route.idempotency->scope[0].kind == idempotency::ScopeRule::Kind::kClient);
}

TEST_CASE("every key of the manual loads, and its defaults are those of the code") {
  Config every = GoodText(kEveryKey);
  Config defaults = GoodText(kDefaults);
  defaults.routes[0].methods = {"POST"};  // these have no default
  defaults.routes[0].host = "pay.example.com";
  defaults.routes[0].authenticate->clients = {"default"};
  CHECK(Describe(every) == Describe(defaults));
}

TEST_CASE("a route that observes takes bodies of any size") {
  const Config config = GoodText(
      "routes: [{path: /a, upstream: http://b, max_body: 1GiB, idempotency: {mode: observe}}]\n");
  CHECK(config.routes[0].idempotency->mode == idempotency::Mode::kObserve);
  CHECK(config.routes[0].max_body == 1ULL << 30);
}

TEST_CASE("a look-up is read whole, with its defaults") {
  const auto rule_of = [](const std::string& reconcile) {
    const Config config = GoodText(
        "routes: [{path: /a, upstream: http://b, idempotency: {reconcile: " + reconcile + "}}]\n");
    return *config.routes[0].idempotency->reconcile;
  };
  const auto least = rule_of("{get: \"/a?k={key}\", found: 201}");
  CHECK(least.get == "/a?k={key}");
  CHECK(least.found == 201);
  CHECK(least.found_when.empty());
  CHECK(least.headers.empty());
  CHECK(least.after == std::chrono::minutes(2));
  CHECK(least.interval == std::chrono::seconds(10));
  const auto all = rule_of(
      "{get: \"/a/{key}/{client}\", found: 200, found_when: /items/0, after: 1m, interval: 5s, "
      "headers: {Authorization: Bearer t, X-Two: 2}}");
  CHECK(all.found_when == "/items/0");
  CHECK(all.after == std::chrono::minutes(1));
  CHECK(all.interval == std::chrono::seconds(5));
  REQUIRE(all.headers.size() == 2);
  CHECK(all.headers[0] == std::pair<std::string, std::string>("Authorization", "Bearer t"));
}

TEST_CASE("reference.yaml holds the defaults of the code") {
  const Config reference = Good(LoadFile(Shipped("reference.yaml"), EnvironmentOf({})));
  CHECK(Describe(reference) == Describe(GoodText(kDefaults)));
}

TEST_CASE("reference.yaml names every key") {
  const std::string reference = ReadWhole(Shipped("reference.yaml"));
  const auto lines = MistakesOf(R"(
zzzzzzzzzzzz: 1
log: { zzzzzzzzzzzz: 1 }
limits: { zzzzzzzzzzzz: 1 }
store: { zzzzzzzzzzzz: 1 }
admin: { zzzzzzzzzzzz: 1 }
listen: { address: 127.0.0.1:80, zzzzzzzzzzzz: 1, tls: { certificate: c, key: k, zzzzzzzzzzzz: 1 } }
clients: [{ id: a, secrets: [s], zzzzzzzzzzzz: 1 }]
upstreams: { a: { url: http://b, zzzzzzzzzzzz: 1, tls: { zzzzzzzzzzzz: 1 } } }
routes:
  - path: /
    upstream: a
    zzzzzzzzzzzz: 1
    authenticate: { scheme: hmac-body, zzzzzzzzzzzz: 1 }
    rate_limit: { zzzzzzzzzzzz: 1 }
    idempotency: { zzzzzzzzzzzz: 1, fingerprint: { zzzzzzzzzzzz: 1 }, responses: { zzzzzzzzzzzz: 1 }, reconcile: { zzzzzzzzzzzz: 1 } }
)");
  std::size_t lists = 0;
  for (const std::string& line : lines) {
    const std::size_t begin = line.find("allowed here: ");
    if (begin == std::string::npos) continue;
    ++lists;
    for (const std::string_view name : WordsOf(std::string_view(line).substr(begin + 14))) {
      if (name == "or") continue;  // "a, b or c"
      CAPTURE(name);
      CHECK(IsKeyOf(reference, name));
    }
  }
  CHECK(lists == 17);
}

TEST_CASE("the files that ship load") {
  const Variables variables = {{"SHOP_SECRET", "s3cret"}};
  for (const std::string name : {"idemproxy.yaml", "redis.yaml", "legacy.yaml"}) {
    CAPTURE(name);
    const Config config = Good(LoadFile(Shipped(name), EnvironmentOf(variables)));
    CHECK(config.warnings.empty());
  }
  const Config quick = Good(LoadFile(Shipped("idemproxy.yaml"), EnvironmentOf(variables)));
  CHECK(quick.routes.at(0).idempotency.value().upstream_idempotent);
  CHECK(quick.routes.at(0).idempotency.value().scope.empty());
  const Config redis = Good(LoadFile(Shipped("redis.yaml"), EnvironmentOf(variables)));
  CHECK(redis.store.type == store::StoreType::kRedis);
  CHECK(redis.store.url == "redis://127.0.0.1:6380/0");
}

TEST_CASE("values come from the environment, quoted or not, whole or in part") {
  const Config config = GoodText(
      R"(
listen: "127.0.0.1:${PORT}"
workers: "${WORKERS}"
log: { level: "${LEVEL:-debug}" }
limits: { connections: "${EMPTY:-7}" }
clients: [{ id: "a${ONE}b${ONE}", secrets: ["${ODD}", "$1", "$"] }]
routes: [{ path: /, upstream: "${URL:-http://b:81}" }]
)",
      {{"PORT", "8081"}, {"WORKERS", "3"}, {"ONE", "1"}, {"EMPTY", ""}, {"ODD", "${ONE}: [}"}});
  CHECK(config.listen.at(0).endpoint.port == 8081);
  CHECK(config.workers == 3);
  CHECK(config.log.level == log::Level::kDebug);
  CHECK(config.server.connections_max == 7);
  CHECK(config.exchange.waiters_max == 1);
  CHECK(config.clients.at(0).id == "a1b1");
  CHECK(config.clients.at(0).secrets.at(0).bytes() == "${ONE}: [}");  // unchanged
  CHECK(config.clients.at(0).secrets.at(1).bytes() == "$1");
  CHECK(config.upstreams.at(0).endpoints.at(0).ToText() == "b:81");
}

TEST_CASE("an admin listener that other machines reach is one that has a token") {
  const std::string routes = "routes: [{ path: /, upstream: \"http://b\" }]\n";
  const Config config = GoodText("admin: { listen: 0.0.0.0:9901, token: \"${T}\" }\n" + routes,
                                 {{"T", "0123456789abcdef"}});
  REQUIRE(config.admin_token);
  CHECK(config.admin_token->bytes() == "0123456789abcdef");
  for (const char* local : {"127.0.0.7:1", "[::1]:1", "unix:/x"}) {
    CAPTURE(local);
    CHECK_FALSE(
        GoodText("admin: { listen: \"" + std::string(local) + "\" }\n" + routes).admin_token);
  }
}

TEST_CASE("listeners are one or a list, and the admin listener can be off") {
  const Config config = GoodText(R"(
listen: [127.0.0.1:0, "[::1]:80", { address: "unix:/run/x.sock" }, 127.0.0.1:0]
admin: off
shutdown_grace: 7s
trusted_proxies: [10.0.0.0/8, "::1"]
routes: [{ path: /, upstream: http://b }]
)");
  REQUIRE(config.listen.size() == 4);
  CHECK(config.listen[1].endpoint.ToText() == "[::1]:80");
  CHECK(config.listen[2].endpoint.unix_path == "/run/x.sock");
  CHECK_FALSE(config.admin);
  CHECK(config.shutdown_grace == 7s);
  CHECK(config.trusted_proxies.size() == 2);
}

TEST_CASE("a route's own value wins over `defaults`, key by key, down to the last map") {
  const Config config = GoodText(R"(
clients: [{ id: a, secrets: [s] }]
limits: { body: 2KiB }
defaults:
  path_prefix: /
  upstream: http://b
  authenticate: { scheme: hmac-body }
  rate_limit: { requests: 5, per: 1m, by: client }
  idempotency: { ttl: 1h, fingerprint: { headers: [a, b] }, replay_drop: [x] }
routes:
  - { name: plain, host: plain.example }
  - path: /own
    rate_limit: { requests: 9 }
    idempotency: { fingerprint: { body: json }, replay_drop: [] }
    max_body: 7
  - { path: /none, authenticate: { scheme: none }, rate_limit: off, idempotency: off }
)");
  REQUIRE(config.routes.size() == 3);
  CHECK(config.upstreams.size() == 1);  // the same URL is the same upstream
  const exchange::Route& plain = config.routes[0];
  CHECK(plain.prefix);
  CHECK(plain.max_body == 2048);
  CHECK(plain.rate_limit.value().rule.requests == 5);
  const exchange::Route& own = config.routes[1];
  CHECK_FALSE(own.prefix);
  CHECK(own.max_body == 7);
  CHECK(own.rate_limit.value().rule.requests == 9);
  CHECK(own.rate_limit.value().by == exchange::RateLimitOptions::By::kClient);
  CHECK(own.idempotency.value().ttl == 1h);
  CHECK(own.idempotency.value().recipe.headers == std::vector<std::string>{"a", "b"});
  CHECK(own.idempotency.value().recipe.body == idempotency::BodyMode::kJson);
  CHECK(own.idempotency.value().replay_drop.empty());
  const exchange::Route& none = config.routes[2];
  CHECK_FALSE(none.authenticate);
  CHECK_FALSE(none.rate_limit);
  CHECK_FALSE(none.idempotency);
}

TEST_CASE("the default scope is the client where there is one, else the route") {
  using Kind = idempotency::ScopeRule::Kind;
  const Config config = GoodText(R"(
clients: [{ id: a, secrets: [s] }]
defaults: { upstream: http://b }
routes:
  - { path: /a, authenticate: { scheme: hmac-body }, idempotency: {} }
  - { path: /b, idempotency: {} }
  - { path: /c, idempotency: { scope: [] } }
  - { path: /d, idempotency: { scope: [route, "header:X-Tenant"] } }
)");
  CHECK(config.routes[0].idempotency->scope.at(0).kind == Kind::kClient);
  CHECK(config.routes[1].idempotency->scope.at(0).kind == Kind::kRoute);
  CHECK(config.routes[2].idempotency->scope.empty());
  REQUIRE(config.routes[3].idempotency->scope.size() == 2);
  CHECK(config.routes[3].idempotency->scope[1].header == "x-tenant");
}

TEST_CASE("`auto` is every wait that an execution may have, and the grace the longest lease") {
  const Config config = GoodText(R"(
store: { timeout: 100ms }
upstreams:
  slow: { url: http://b, connect_timeout: 1s, response_timeout: 50s, queue_timeout: 3s }
  quick: { url: http://127.0.0.1, connect_timeout: 1s, response_timeout: 1s, queue_timeout: 0s }
routes:
  - { path: /slow, upstream: slow, idempotency: { record_timeout: 4s } }
  - { path: /quick, upstream: quick, idempotency: {} }
  - { path: /own, upstream: quick, idempotency: { lease: 30s } }
)");
  // Sum of twice the store, the queue, the name look-up, three connection attempts, the response,
  // the record, and a margin.
  CHECK(config.routes[0].idempotency->lease == 200ms + 3s + 1s + 3 * 1s + 50s + 4s + 5s);
  CHECK(config.routes[1].idempotency->lease == 200ms + 3 * 1s + 1s + 2s + 5s);
  CHECK(config.routes[2].idempotency->lease == 30s);
  CHECK(config.shutdown_grace == config.routes[0].idempotency->lease);
  CHECK(config.exchange.store_timeout == 100ms);
}

TEST_CASE("a token bucket has a burst, by default all requests of its time") {
  const Config config = GoodText(R"(
defaults: { upstream: http://b, rate_limit: { requests: 20000, per: 1s, algorithm: token_bucket } }
routes: [{ path: /a }, { path: /b, rate_limit: { burst: 7 } }]
)");
  CHECK(config.routes[0].rate_limit->rule.algorithm == ports::LimitAlgorithm::kTokenBucket);
  CHECK(config.routes[0].rate_limit->rule.burst == 20000);
  CHECK(config.routes[1].rate_limit->rule.burst == 7);
}

TEST_CASE("responses are statuses and classes, a status counting before its class") {
  const Config config = GoodText(R"(
routes:
  - path: /
    upstream: http://b
    idempotency: { responses: { release: [5xx], unknown: [500], record: [408] } }
)");
  CHECK(config.routes[0].idempotency->overrides.size() == 3);
}

TEST_CASE("a secrets file has one secret a line, and adds to those of the configuration") {
  char path[] = "/tmp/idemproxy-secrets-XXXXXX";
  const int file = mkstemp(path);
  REQUIRE(file >= 0);
  const auto write = [&](const std::string& text) { std::ofstream(path, std::ios::trunc) << text; };
  const std::string yaml = "clients: [{id: a, secrets: [one], secrets_file: " + std::string(path) +
                           "}]\nroutes: [{path: /, upstream: http://b}]\n";
  write("two\r\n\nthree 3\nfour");
  std::vector<std::string> secrets;
  const Config config = GoodText(yaml);
  for (const auto& secret : config.clients.at(0).secrets) secrets.emplace_back(secret.bytes());
  CHECK(secrets == std::vector<std::string>{"one", "two", "three 3", "four"});

  write("\n\n");
  CHECK(JoinLines(MistakesOf(yaml)) ==
        "f:1:49: clients[0].secrets_file: holds no secret; write one per line\n");
  write("# old\ngood");
  CHECK(JoinLines(MistakesOf(yaml)) ==
        "f:1:49: clients[0].secrets_file: line 1 of the file begins with #: a comment would be a "
        "secret, so it is refused\n");
  write("\xef\xbb\xbfgood\n");
  CHECK(
      JoinLines(MistakesOf(yaml)) ==
      "f:1:49: clients[0].secrets_file: line 1 of the file begins with a byte order mark: save it "
      "as plain text\n");
  write("good \n");
  CHECK(
      JoinLines(MistakesOf(yaml)) ==
      "f:1:49: clients[0].secrets_file: line 1 of the file has a blank at an end, which no caller "
      "signs with\n");
  write("good\n" + std::string(5000, 'x'));
  CHECK(JoinLines(MistakesOf(yaml)) ==
        "f:1:49: clients[0].secrets_file: line 2 of the file is longer than 4096 bytes\n");
  close(file);
  unlink(path);
}

TEST_CASE("what holds a secret is a plain file: a pipe would be waited for, a device has no end") {
  const std::string pipe = "/tmp/idem-config-pipe-" + std::to_string(getpid());
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  struct Row {
    std::string path;
    std::string complaint;
  };
  for (const Row& row : {Row{pipe, "is not a regular file"},
                         Row{"/dev/zero", "is not a regular file"}, Row{"/tmp", "is a folder"}}) {
    CAPTURE(row.path);
    const std::string yaml = "clients: [{id: a, secrets_file: " + row.path +
                             "}]\nadmin: {token_file: " + row.path +
                             "}\nroutes: [{path: /, upstream: http://b}]\n";
    CHECK(JoinLines(MistakesOf(yaml)) == "f:1:33: clients[0].secrets_file: " + row.complaint +
                                             "\nf:2:21: admin.token_file: " + row.complaint + "\n");
  }
  unlink(pipe.c_str());
}

TEST_CASE("a secrets file that is too large is refused") {
  const std::string path = "/tmp/idem-config-large-" + std::to_string(getpid());
  std::ofstream(path) << std::string((1 << 20) + 1, 's');
  CHECK(JoinLines(MistakesOf("clients: [{id: a, secrets_file: " + path +
                             "}]\nroutes: [{path: /, upstream: http://b}]\n")) ==
        "f:1:33: clients[0].secrets_file: is larger than 1024KiB\n");
  unlink(path.c_str());
}

TEST_CASE("what is allowed but risky is warned of, with its place") {
  struct Row {
    std::string text;
    std::string lines;
  };
  const std::string route = "routes:\n- path: /\n  upstream: http://b\n  ";
  const std::string safe_scope = "upstream_idempotent: true, scope: []";
  const Row rows[] = {
      {"idempotency: {responses: {release: [503, 429]}}",
       "f:4:39: routes[0].idempotency.responses.release[0]: is released although the backend does "
       "not drop duplicates: safe only if its owner states that this answer means `not acted`\n"},
      {"idempotency: {" + safe_scope + ", responses: {release: [503]}}", ""},
      {"idempotency: {lease: 10s}",
       "f:4:24: routes[0].idempotency.lease: is shorter than every wait that an execution may have "
       "(auto: 47s): a slow request shows as unknown until it completes\n"},
      {"idempotency: {upstream_idempotent: true}",
       "f:4:16: routes[0].idempotency.scope: is not []: with `upstream_idempotent`, make sure that "
       "the backend tells equal keys of different scopes apart as well\n"},
      {"idempotency: {" + safe_scope + "}", ""},
      {"idempotency: {unknown_ttl: 2m, reconcile: {get: \"/?k={key}\", found: 200}}",
       "f:4:30: routes[0].idempotency.unknown_ttl: ends before the backend is asked, 167s after "
       "the "
       "claim (lease and reconcile.after): the key is executed again without a look-up\n"
       "f:4:30: routes[0].idempotency.unknown_ttl: is 2m, shorter than `ttl` (24h): a retry after "
       "it "
       "executes a request again whose outcome nobody knows\n"},
      {"name: x\nclients: [{id: a, secrets: [super-secret-key]}]",
       "f:5:28: clients[0].secrets: holds the demo secret, which is public, and `listen` has an "
       "address that other machines can reach\n"},
      {"name: x\nlisten: [127.0.0.2:80, \"[::1]:80\", \"unix:/x\"]\n"
       "clients: [{id: a, secrets: [super-secret-key]}]",
       ""},
      {"name: x\nclients: [{id: a, secrets: [s, t]}, {id: b, secrets: [u, s]}]",
       "f:5:54: clients[1].secrets: shares a secret with clients[0]: each can impersonate "
       "the other\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(JoinLines(ToLines(GoodText(route + row.text).warnings)) == row.lines);
  }
}

TEST_CASE("a reload names what only a start may change") {
  const std::string base = R"(
workers: 2
store: { type: memory, key_prefix: "p:" }
clients: [{ id: a, secrets: [s] }, { id: b, secrets: [t] }]
routes:
  - name: one
    path: /one
    upstream: http://b
    authenticate: { scheme: hmac-body }
    idempotency: { scope: [client] }
)";
  struct Row {
    const char* from;
    const char* to;
    std::vector<RestartOnlyChange> fixed;
  };
  const Row rows[] = {
      {"", "", {}},
      {"http://b", "http://c", {}},
      // One client left and another came.
      {"{ id: b, secrets: [t] }", "{ id: c, secrets: [u] }", {}},
      {"workers: 2", "workers: 3", {{"workers", ""}}},
      {"workers: 2", "workers: 2\nadmin: off", {{"admin", ""}}},
      {"workers: 2", "workers: 2\nadmin: { listen: 127.0.0.1:9902 }", {{"admin", ""}}},
      {"type: memory", "type: embedded", {{"store.type", ""}}},
      {"p:", "q:", {{"store.key_prefix", "from `p:` to `q:`"}}},
      {"[client]", "[]", {{"routes.one.idempotency.scope", "from `[client]` to `[]`"}}},
      {"[client]",
       "[route, client, \"header:X-Shop\"]",
       {{"routes.one.idempotency.scope", "from `[client]` to `[route, client, header:x-shop]`"}}},
      {"scope: [client]",
       "header: X-Key",
       {{"routes.one.idempotency.header", "from `Idempotency-Key` to `X-Key`"}}},
      {"scope: [client]", "header: idempotency-key", {}},   // the same field
      {"scope: [client]", "mode: observe, scope: []", {}},  // it holds no earlier key
      {"name: one", "name: two", {{"routes.one.name", "from `one` to `two`"}}},
      {"id: b", "id: c", {{"clients.b.id", "from `b` to `c`"}}},
  };
  const Config running = GoodText(base);
  for (const Row& row : rows) {
    CAPTURE(row.to);
    std::string next = base;
    next.replace(next.find(row.from), std::string(row.from).size(), row.to);
    CHECK(RestartOnlyChanges(running, GoodText(next)) == row.fixed);
  }
}

TEST_CASE("a file that cannot be read is one mistake without a place") {
  const auto mistakes_of = [](const std::string& path) {
    return JoinLines(ToLines(std::get<1>(LoadFile(path, EnvironmentOf({})))));
  };
  CHECK(mistakes_of("/does/not/exist") ==
        "/does/not/exist: cannot be read: No such file or directory\n");
  CHECK(mistakes_of("/tmp") == "/tmp: is a folder; a file is needed\n");
}

TEST_CASE("a file that was cut off somewhere, or has a byte changed, is read or refused") {
  const std::string whole = kEveryKey;
  for (std::size_t size = 0; size < whole.size(); size += 3) {
    (void)LoadText("f", whole.substr(0, size), EnvironmentOf({}));
  }
  const std::string bytes = std::string("\0\t\n\xff{}[]:#&*!|>'\"%@`-?,${", 26);
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string changed = whole;
    changed[at] = bytes[at % bytes.size()];
    (void)LoadText("f", changed, EnvironmentOf({}));
  }
}

}  // namespace idem::config

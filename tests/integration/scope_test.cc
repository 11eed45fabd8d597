// A start or a reload that would forget earlier keys silently is refused.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/postgres_server.h"
#include "tests/support/redis_server.h"
#include "tests/support/relay.h"
#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"

namespace idem::support {

namespace {

using support::Always;
using support::Response;
using support::ScriptedBackend;

struct RouteYaml {
  std::string name = "orders";
  std::string idempotency = "{}";
  std::string clients = "[{ id: shop, secrets: [s-1] }]";
  std::string more{};
};

/// A store with a past: proxies are started on it, one after the other.
class World {
 public:
  /// `url` is "" for the embedded store.
  explicit World(const std::string& url)
      : store_(url.empty() ? "type: embedded, path: " + folder_.path() + "/db"
                           : "type: " + url.substr(0, url.find(':')) + ", url: \"" + url + "\"") {}

  [[nodiscard]] std::string Yaml(const RouteYaml& route) const {
    return "listen: 127.0.0.1:0\nadmin: { listen: \"127.0.0.1:0\" }\nworkers: 1\nstore: { " +
           store_ + (prefix.empty() ? "" : ", key_prefix: \"" + prefix + "\"") +
           " }\nclients: " + route.clients + "\nroutes:\n  - name: " + route.name +
           "\n    path: /orders\n    upstream: http://" + backend.address() +
           "\n    authenticate: { scheme: hmac-body, client_header: X-Client-Id }\n    "
           "idempotency: " +
           route.idempotency + "\n" + route.more;
  }
  Process Start(const RouteYaml& route, std::vector<std::string> flags = {}) {
    file = folder_.Write("idemproxy-" + std::to_string(++starts_) + ".yaml", Yaml(route));
    flags.insert(flags.begin(), {"run", "-c", file});
    return Process::Start({BuiltProgram("idemproxy"), std::move(flags), {}});
  }
  /// Starts a proxy, lets it serve, and stops it.
  void Serve(const RouteYaml& route, std::vector<std::string> flags = {}) {
    Process proxy = Start(route, std::move(flags));
    const std::uint16_t port = Port(proxy);
    CHECK(Post(port, "k-1").status == 201);
    proxy.Signal(SIGTERM);
    CHECK(proxy.WaitForExit() == 0);
  }
  /// Starts a proxy that must refuse, and returns its error.
  std::string Refused(const RouteYaml& route) {
    Process proxy = Start(route);
    CHECK(proxy.WaitForExit() == 1);
    CHECK(proxy.output().find("\"listening\"") == std::string::npos);
    return proxy.error_output();
  }
  static std::uint16_t Port(Process& proxy) {
    const std::string line = proxy.WaitForLine("\"event\":\"listening\"");
    return static_cast<std::uint16_t>(std::stoi(line.substr(line.find("127.0.0.1:") + 10)));
  }
  static HttpResponse Post(std::uint16_t port, const std::string& key,
                           const std::string& client = "shop", const std::string& secret = "s-1") {
    return AskOnce(port, "POST", "/orders",
                   {{"Idempotency-Key", key},
                    {"X-Client-Id", client},
                    {"X-Signature", SignBody(secret, "{}")}},
                   "{}");
  }

  ScriptedBackend backend{Always(Response(201, "made"))};
  std::string prefix;
  std::string file;

 private:
  TempFolder folder_;
  const std::string store_;
  int starts_ = 0;
};

bool Holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a start that would forget earlier keys is refused, once it is accepted it is not") {
  struct Row {
    RouteYaml route;
    std::string_view first;
    std::string_view second;
  };
  const Row rows[] = {
      {{.idempotency = "{ scope: [route] }"}, "scope is [route]", "with [client]"},
      {{.idempotency = "{ header: X-Key }"}, "`x-key`", "`idempotency-key`"},
      {{.name = "orders-v2"}, "`orders`, which is gone", "`orders-v2` is new"},
      {{.clients = "[{ id: store, secrets: [s-1] }]"}, "`shop`, which is gone", "`store` is new"},
  };
  for (const std::string store : {"embedded", "redis", "postgres"}) {
    for (const Row& row : rows) {
      CAPTURE(store);
      CAPTURE(row.first);
      std::optional<RedisServer> redis;
      std::optional<TestDatabase> database;
      if (store == "redis") redis.emplace();
      if (store == "postgres") database.emplace();
      World world(redis ? redis->url() : database ? database->url() : "");
      world.Serve({});
      const std::string why = world.Refused(row.route);
      CAPTURE(why);
      CHECK(Holds(why, row.first));
      CHECK(Holds(why, row.second));
      CHECK(Holds(why, "--accept-new-scope"));
      CHECK(why.find('\n') == why.size() - 1);
      world.Serve({});

      Process accepted = world.Start(row.route, {"--accept-new-scope"});
      accepted.WaitForLine("scope_accepted");
      World::Port(accepted);
      accepted.Signal(SIGTERM);
      CHECK(accepted.WaitForExit() == 0);
      Process again = world.Start(row.route);
      World::Port(again);
      again.Signal(SIGTERM);
      CHECK(again.WaitForExit() == 0);
    }
  }
}

TEST_CASE("another prefix is found out, because the scopes lie where no prefix moves them") {
  for (const std::string store : {"redis", "postgres"}) {
    CAPTURE(store);
    std::optional<RedisServer> redis;
    std::optional<TestDatabase> database;
    if (store == "redis") redis.emplace();
    if (store == "postgres") database.emplace();
    World world(redis ? redis->url() : database->url());
    world.Serve({});
    world.prefix = "other:";
    const std::string why = world.Refused({});
    CAPTURE(why);
    CHECK(Holds(why, "store.key_prefix is `other:`"));
    CHECK(Holds(why, "`idemp:`"));
    world.Serve({}, {"--accept-new-scope"});
    world.Serve({});
  }
}

TEST_CASE("routes and clients may come and go") {
  World world("");
  const std::string second = "  - name: refunds\n    path: /refunds\n    upstream: http://" +
                             world.backend.address() + "\n    idempotency: {}\n";
  world.Serve({});
  world.Serve({.more = second});
  world.Serve({});
  world.Serve({.clients = "[{ id: shop, secrets: [s-1] }, { id: store, secrets: [s-2] }]"});
  world.Serve({});
  world.Serve(
      {.clients = "[{ id: shop, secrets: [s-1] }, { id: third, secrets: [s-2] }]", .more = second});
}

TEST_CASE("a reload is checked as a start is, and a route that it adds is held from then on") {
  World world("");
  const auto more = [&](const std::string& name) {
    return "  - name: " + name + "\n    path: /" + name + "\n    upstream: http://" +
           world.backend.address() + "\n    idempotency: {}\n";
  };
  Process proxy = world.Start({.more = more("refunds")});
  World::Port(proxy);
  const auto reload = [&](const RouteYaml& route, std::string_view expected) {
    std::ofstream(world.file) << world.Yaml(route);
    proxy.Signal(SIGHUP);
    return proxy.WaitForLine(expected);
  };
  const std::string refused = reload({.more = more("returns")}, "reload_refused");
  CAPTURE(refused);
  CHECK(Holds(refused, "`refunds`, which is gone"));
  CHECK(Holds(refused, "`returns` is new"));
  reload({.more = more("refunds") + more("returns")}, "\"event\":\"reloaded\"");
  proxy.Signal(SIGTERM);
  CHECK(proxy.WaitForExit() == 0);
  CHECK(
      Holds(world.Refused({.more = more("refunds") + more("third")}), "`returns`, which is gone"));
}

TEST_CASE("a file whose scope is still being checked is not applied over a newer one") {
  RedisServer redis;
  Relay relay(redis.port());
  World world("redis://127.0.0.1:" + std::to_string(relay.port()));
  Process proxy = world.Start({});
  const std::uint16_t port = World::Port(proxy);
  REQUIRE(World::Post(port, "k-1").status == 201);
  std::atomic<bool> is_checked = false;
  relay.WatchClients([&](std::string_view bytes) {
    if (bytes.find("note scopes") != bytes.npos) is_checked = true;
  });
  relay.Delay(std::chrono::milliseconds(100));
  const auto reload = [&](const std::string& name, const std::string& idempotency) {
    std::ofstream(world.file) << world.Yaml({.more = "  - name: " + name + "\n    path: /" + name +
                                                     "\n    upstream: http://" +
                                                     world.backend.address() + "\n" + idempotency});
    proxy.Signal(SIGHUP);
  };
  reload("older", "    idempotency: {}\n");
  while (!is_checked) std::this_thread::yield();
  reload("newer", "");
  proxy.WaitForLine("\"event\":\"reloaded\"");
  // These calls take as many round trips to the store as the check, and begin after it.
  REQUIRE(World::Post(port, "k-2").status == 201);
  CHECK(AskOnce(port, "GET", "/newer", {}, "").status == 201);
  CHECK(AskOnce(port, "GET", "/older", {}, "").status == 404);
}

TEST_CASE("a store that is away at the start is asked before the first claim") {
  RedisServer redis;
  World before(redis.url());
  before.Serve({});
  Relay relay(redis.port());
  relay.Refuse();
  World world("redis://127.0.0.1:" + std::to_string(relay.port()));
  Process same = world.Start({});
  Process other = world.Start({.name = "orders-v2"});
  const std::uint16_t same_port = World::Port(same);
  const std::uint16_t other_port = World::Port(other);
  CHECK(World::Post(same_port, "k-2").status == 503);
  CHECK(World::Post(other_port, "k-2").status == 503);
  CHECK(world.backend.requests() == 0);

  relay.Accept();
  same.WaitForLine("scope_checked");
  // The worker reconnects to the store by itself a moment later.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  int status = 503;
  while (status == 503 && std::chrono::steady_clock::now() < until) {
    status = World::Post(same_port, "k-2").status;
  }
  CHECK(status == 201);
  const std::string line = other.WaitForLine("\"level\":\"error\",\"event\":\"scope_unchecked\"");
  CHECK(Holds(line, "`orders-v2` is new"));
  const auto answer = World::Post(other_port, "k-3");
  CHECK(answer.status == 503);
  CHECK(Holds(answer.body, "store-unavailable"));
  CHECK(world.backend.requests() == 1);
}

}  // namespace idem::support

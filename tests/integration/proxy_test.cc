// The built proxy between a scripted client and a scripted backend, seen by a caller and by an
// operator.
#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"

namespace idem::support {

namespace {

using support::Always;
using support::Conversation;
using support::RefusingPort;
using support::Response;
using support::ScriptedBackend;

constexpr std::string_view kBody = R"({"user_id":"u-1","item":"book","amount":500})";

// A store by its name in YAML, in the test's own folder or namespace. A sync may be slow on a busy
// machine.
struct StoreYaml {
  explicit StoreYaml(std::string store_name) : name(std::move(store_name)) {}
  std::string name;
  TempFolder folder;
  [[nodiscard]] std::string Text() const {
    if (name == "embedded") {
      return "store: { type: embedded, timeout: 20s, path: " + folder.path() + "/db }\n";
    }
    if (name == "redis") {
      return Shared("redis://127.0.0.1:" + ServerVariable("IDEM_TEST_REDIS_PORT") + "/0");
    }
    if (name == "postgres") return Shared(ServerVariable("IDEM_TEST_POSTGRES"));
    return "store: { type: memory }\n";
  }
  [[nodiscard]] std::string Shared(const std::string& url) const {
    static int counter = 0;
    return "store: { type: " + name + ", url: \"" + url + "\", timeout: 20s, key_prefix: \"it" +
           std::to_string(getpid()) + "-" + std::to_string(++counter) + ":\" }\n";
  }
};

std::string RouteYaml(const std::string& upstream, const std::string& more = "",
                      const std::string& idempotency = "{}") {
  return "workers: 2\nroutes:\n  - path: /orders\n    upstream: http://" + upstream +
         "\n    idempotency: " + idempotency + "\n" + more;
}

HttpResponse Post(std::uint16_t port, const std::string& key, std::string_view body = kBody,
                  FieldList fields = {}) {
  fields.emplace_back("Idempotency-Key", key);
  fields.emplace_back("Content-Type", "application/json");
  return AskOnce(port, "POST", "/orders", fields, body);
}

std::string PostText(const std::string& key) {
  return RequestText("POST", "/orders",
                     {{"Idempotency-Key", key}, {"Content-Type", "application/json"}}, kBody);
}

ScriptedBackend::Script AnswerWhenReleased() {
  return [](Conversation& talk) {
    talk.WaitForRelease();
    talk.Send(Response(201, "the one answer"));
  };
}

// Sends one key from 40 callers at once: one effect, and the same bytes for all.
void FortyCallers(const std::vector<std::uint16_t>& ports, ScriptedBackend& backend) {
  std::vector<HttpResponse> answers(40);
  std::vector<std::thread> callers;
  callers.reserve(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    callers.emplace_back([&, i] { answers[i] = Post(ports[i % ports.size()], "forty"); });
  }
  const bool reached = backend.WaitForRequests(1);
  backend.Release();
  for (auto& caller : callers) caller.join();
  CHECK(reached);
  int executed = 0;
  for (const auto& answer : answers) {
    CHECK(answer.status == 201);
    CHECK(answer.body == "the one answer");
    executed += answer.Count("Idempotent-Replayed") == 0 ? 1 : 0;
  }
  CHECK(executed == 1);
  CHECK(backend.requests() == 1);
}

}  // namespace

TEST_CASE("every store: a signed order is executed once and replayed byte for byte") {
  for (const std::string name : {"memory", "embedded", "redis", "postgres"}) {
    CAPTURE(name);
    const StoreYaml store(name);
    ScriptedBackend backend(Always(Response(201, R"({"id":7})", "X-Order: 7\r\n")));
    RunningProxy proxy(store.Text() +
                       "clients: [{ id: default, secrets: [\"old\", \"s3cret\"] }]\n" +
                       RouteYaml(backend.address(), "    authenticate: { scheme: hmac-body }\n"));
    const FieldList signature = {{"X-Signature", SignBody("s3cret", kBody)}};
    const auto first = Post(proxy.port(), "k-1", kBody, signature);
    CHECK(first.status == 201);
    CHECK(first.body == R"({"id":7})");
    const auto again = Post(proxy.port(), "\"k-1\"", kBody, signature);
    CHECK(again.status == 201);
    CHECK(again.body == first.body);
    CHECK(again.Field("X-Order") == "7");
    CHECK(again.Field("Idempotent-Replayed") == "true");
    CHECK(backend.requests() == 1);
    CHECK(backend.seen()[0].Field("Idempotency-Key") == "k-1");
    CHECK(backend.seen()[0].Field("X-Client-Id") == "default");

    const auto unsigned_one = Post(proxy.port(), "k-2");
    CHECK(unsigned_one.status == 401);
    CHECK(unsigned_one.Count("WWW-Authenticate") == 1);
    const auto forged = Post(proxy.port(), "k-2", kBody, {{"X-Signature", std::string(64, '0')}});
    CHECK(forged.status == 401);
    const std::string other = R"({"user_id":"u-1","item":"book","amount":501})";
    const auto mismatch =
        Post(proxy.port(), "k-1", other, {{"X-Signature", SignBody("s3cret", other)}});
    CHECK(mismatch.status == 409);
    CHECK(mismatch.body.find("payload-mismatch") != std::string::npos);
    CHECK(backend.requests() == 1);
    CHECK(proxy.Stop() == 0);
    const std::string log = proxy.process().output() + proxy.process().error_output();
    CHECK(log.find("s3cret") == std::string::npos);
    CHECK(log.find("k-1") == std::string::npos);
    CHECK(log.find(signature[0].second) == std::string::npos);
    CHECK(log.find("\"decision\":\"replayed\"") != std::string::npos);
  }
}

TEST_CASE(
    "forty clicks at once on the embedded store with two workers: one effect, the same bytes") {
  const StoreYaml store("embedded");
  ScriptedBackend backend(AnswerWhenReleased());
  RunningProxy proxy(store.Text() +
                     RouteYaml(backend.address(), "", "{ max_waiters_per_key: 100 }"));
  FortyCallers({proxy.port()}, backend);
}

TEST_CASE("forty clicks at once through two proxies with one store: one effect, the same bytes") {
  for (const std::string name : {"redis", "postgres"}) {
    CAPTURE(name);
    const StoreYaml store(name);
    const std::string store_text = store.Text();
    ScriptedBackend backend(AnswerWhenReleased());
    const std::string yaml =
        store_text + RouteYaml(backend.address(), "", "{ max_waiters_per_key: 100 }");
    RunningProxy one(yaml);
    RunningProxy two(yaml);
    FortyCallers({one.port(), two.port()}, backend);
  }
}

TEST_CASE("an embedded record outlives kill -9, and an interrupted claim is unknown at once") {
  const StoreYaml store("embedded");
  ScriptedBackend backend([](Conversation& talk) {
    if (talk.request().Field("Idempotency-Key") == "hangs") talk.WaitForEnd();
    talk.Send(Response(201, "made"));
  });
  RunningProxy proxy(store.Text() + RouteYaml(backend.address()));
  CHECK(Post(proxy.port(), "kept").body == "made");
  HttpClient caller(proxy.port());
  caller.Send(PostText("hangs"));
  REQUIRE(backend.WaitForRequests(2));
  proxy.KillAndStartAgain();
  const auto replay = Post(proxy.port(), "kept");
  CHECK(replay.body == "made");
  CHECK(replay.Field("Idempotent-Replayed") == "true");
  const auto unknown = Post(proxy.port(), "hangs");
  CHECK(unknown.status == 504);
  CHECK(unknown.body.find("outcome-unknown") != std::string::npos);
  CHECK(backend.requests() == 2);
}

TEST_CASE("a backend that is away: 502, and the key is free") {
  const RefusingPort refusing;
  RunningProxy proxy("store: { type: memory }\n" + RouteYaml(refusing.address()));
  const auto answer = Post(proxy.port(), "k-1");
  CHECK(answer.status == 502);
  CHECK(answer.body.find("upstream-unreachable") != std::string::npos);
  CHECK(answer.body.find(refusing.address()) == std::string::npos);
  CHECK(Post(proxy.port(), "k-1").status == 502);
}

TEST_CASE("a backend that does not answer in time: 504, then unknown") {
  ScriptedBackend backend([](Conversation& talk) { talk.WaitForEnd(); });
  RunningProxy proxy("store: { type: memory }\nupstreams: { slow: { url: \"http://" +
                     backend.address() +
                     "\", response_timeout: 200ms } }\n"
                     "routes: [{ path: /orders, upstream: slow, idempotency: {} }]\n");
  const auto answer = Post(proxy.port(), "k-1");
  CHECK(answer.status == 504);
  CHECK(answer.body.find("\"settle\"") != std::string::npos);
  CHECK(Post(proxy.port(), "k-1").status == 504);
  CHECK(backend.requests() == 1);
}

TEST_CASE("an unknown outcome that nobody settled in time is missed when its key is used again") {
  const StoreYaml store("embedded");
  ScriptedBackend backend([](Conversation& talk) {
    if (talk.request().Field("X-Try") != "again") return talk.Reset();
    talk.Send(Response(201, "made"));
  });
  RunningProxy proxy(store.Text() + RouteYaml(backend.address(), "", "{ unknown_ttl: 1ms }"));
  REQUIRE(Post(proxy.port(), "k-1").status == 502);
  int status = 504;  // within that millisecond
  for (int tries = 0; status == 504 && tries < 1000; ++tries) {
    status = Post(proxy.port(), "k-1", kBody, {{"X-Try", "again"}}).status;
  }
  CHECK(status == 201);
  const std::string line = proxy.process().WaitForLine("\"event\":\"unknown_expired\"");
  CHECK(line.find("\"level\":\"warn\"") != std::string::npos);
  CHECK(line.find("\"key_hash\":\"") != std::string::npos);
  CHECK(line.find("\"route\":\"/orders\"") != std::string::npos);
}

TEST_CASE("the rate limit adds its fields and refuses what is too much") {
  for (const std::string name : {"memory", "redis", "postgres"}) {
    CAPTURE(name);
    const StoreYaml store(name);
    ScriptedBackend backend(Always(Response(201, "made")));
    RunningProxy proxy(store.Text() +
                       RouteYaml(backend.address(), "    rate_limit: { requests: 3, per: 10m }\n"));
    for (int i = 0; i < 3; ++i) {
      const auto answer = Post(proxy.port(), "k-" + std::to_string(i));
      CHECK(answer.status == 201);
      CHECK(answer.Field("X-RateLimit-Limit") == "3");
      CHECK(answer.Field("X-RateLimit-Remaining") == std::to_string(2 - i));
    }
    const auto refused = Post(proxy.port(), "k-0");  // a replay counts like any other
    CHECK(refused.status == 429);
    CHECK(refused.Count("Retry-After") == 1);
    CHECK(refused.Field("X-RateLimit-Remaining") == "0");
    CHECK(backend.requests() == 3);
  }
}

TEST_CASE("behind a trusted proxy the access line names the client, as the rate limit counts it") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const std::string route =
      RouteYaml(backend.address(), "    rate_limit: { requests: 1, per: 10m }\n");
  const FieldList by_proxy = {{"X-Forwarded-For", "203.0.113.8, 203.0.113.9"}};
  RunningProxy trusting("store: { type: memory }\ntrusted_proxies: [127.0.0.1/32]\n" + route);
  AskOnce(trusting.port(), "GET", "/orders", by_proxy, "");
  trusting.process().WaitForLine("\"address\":\"203.0.113.9\"");
  CHECK(AskOnce(trusting.port(), "GET", "/orders", by_proxy, "").status == 429);
  CHECK(AskOnce(trusting.port(), "GET", "/orders", {}, "").status == 201);
  trusting.process().WaitForLine("\"address\":\"127.0.0.1\"");
  RunningProxy doubting("store: { type: memory }\n" + route);
  AskOnce(doubting.port(), "GET", "/orders", by_proxy, "");
  doubting.process().WaitForLine("\"address\":\"127.0.0.1\"");
}

TEST_CASE("a caller that hangs up does not lose the outcome") {
  const StoreYaml store("embedded");
  ScriptedBackend backend(AnswerWhenReleased());
  RunningProxy proxy(store.Text() + RouteYaml(backend.address()));
  {
    HttpClient caller(proxy.port());
    caller.Send(PostText("k-1"));
    REQUIRE(backend.WaitForRequests(1));
    caller.Reset();
  }
  backend.Release();
  CHECK(Post(proxy.port(), "k-1").body == "the one answer");
  CHECK(backend.requests() == 1);
}

TEST_CASE("SIGTERM lets what runs end, and then leaves with 0") {
  ScriptedBackend backend(AnswerWhenReleased());
  RunningProxy proxy("store: { type: memory }\n" + RouteYaml(backend.address()));
  HttpClient caller(proxy.port());
  caller.Send(PostText("k-1"));
  REQUIRE(backend.WaitForRequests(1));
  proxy.process().Signal(SIGTERM);
  proxy.process().WaitForLine("\"event\":\"draining\"");
  CHECK(AskOnce(proxy.admin_port(), "GET", "/readyz").status == 503);
  backend.Release();
  const auto answer = caller.ReadResponse("POST");
  CHECK(answer.status == 201);
  CHECK(answer.body == "the one answer");
  CHECK(proxy.process().WaitForExit() == 0);
}

TEST_CASE("SIGHUP takes a good file whole and a bad one not at all") {
  ScriptedBackend old_backend(Always(Response(201, "old")));
  ScriptedBackend new_backend(Always(Response(201, "new")));
  const std::string store = "store: { type: memory }\n";
  RunningProxy proxy(store + RouteYaml(old_backend.address()));
  CHECK(Post(proxy.port(), "k-1").body == "old");
  proxy.Reload(store + "workers: 2\nroutes: [{ path: /orders, upstrem: x }]\n", "upstrem");
  CHECK(Post(proxy.port(), "k-2").body == "old");
  proxy.Reload(store + "workers: 3\nroutes:\n  - path: /orders\n    upstream: http://" +
                   new_backend.address() + "\n    idempotency: {}\n",
               "workers cannot change");
  CHECK(Post(proxy.port(), "k-2").body == "old");
  proxy.Reload(store + RouteYaml(new_backend.address()), "\"event\":\"reloaded\"");
  CHECK(Post(proxy.port(), "k-3").body == "new");
  CHECK(Post(proxy.port(), "k-1").body == "old");  // the record of the key
}

TEST_CASE("the admin listener serves health, readiness and metrics") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy("store: { type: memory }\n" + RouteYaml(backend.address()));
  CHECK(AskOnce(proxy.admin_port(), "GET", "/healthz").status == 200);
  CHECK(AskOnce(proxy.admin_port(), "GET", "/nothing").status == 404);
  CHECK(AskOnce(proxy.admin_port(), "POST", "/healthz").status == 405);
  CHECK(Post(proxy.port(), "k-1").status == 201);
  const auto metrics = AskOnce(proxy.admin_port(), "GET", "/metrics");
  CHECK(metrics.status == 200);
  CAPTURE(metrics.body);
  for (const std::string line :
       {"idemproxy_requests_total{", "operation=\"begin\",result=\"claimed\"} 1",
        "operation=\"complete\",result=\"done\"} 1", "idemproxy_claims_executing 0"}) {
    CAPTURE(line);
    CHECK(metrics.body.find(line) != std::string::npos);
  }
}

TEST_CASE("a store that is away: 503, nothing is forwarded, and readiness says so") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const RefusingPort away;
  for (const std::string name : {"redis", "postgres"}) {
    CAPTURE(name);
    RunningProxy proxy("store: { type: " + name + ", url: \"" + name + "://" + away.address() +
                       "/0\" }\n" + RouteYaml(backend.address()));
    const auto answer = Post(proxy.port(), "k-1");
    CHECK(answer.status == 503);
    CHECK(answer.body.find("store-unavailable") != std::string::npos);
    CHECK(answer.Count("Retry-After") == 1);
    CHECK(AskOnce(proxy.admin_port(), "GET", "/readyz").status == 503);
    CHECK(AskOnce(proxy.admin_port(), "GET", "/healthz").status == 200);
  }
  CHECK(backend.requests() == 0);
}

TEST_CASE("an embedded store that a power loss would make forget says so at start") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const TempFolder folder;
  RunningProxy proxy("store: { type: embedded, durability: os, path: " + folder.path() + "/db }\n" +
                     RouteYaml(backend.address()));
  CHECK(proxy.process().output().find("store_may_forget") != std::string::npos);
  CHECK(proxy.process().output().find("power loss") != std::string::npos);
}

TEST_CASE("a busy port: one clear line, and exit 1") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const TempFolder folder;
  const auto file = folder.Write("busy.yaml", "listen: " + backend.address() +
                                                  "\nadmin: off\nstore: { type: memory }\n" +
                                                  RouteYaml(backend.address()));
  auto process = Process::Start({BuiltProgram("idemproxy"), {"run", "-c", file}, {}});
  CHECK(process.WaitForExit() == 1);
  CHECK(process.error_output().find(std::to_string(backend.port())) != std::string::npos);
  CHECK(process.error_output().find('\n') == process.error_output().size() - 1);
}

TEST_CASE("a port of another proxy is a busy one, for the admin listener too") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const std::string rest = "store: { type: memory }\n" + RouteYaml(backend.address());
  RunningProxy first(rest);
  const auto taken = [&](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  const TempFolder folder;
  const auto file = folder.Write("busy.yaml", "listen: 127.0.0.1:0\nadmin: { listen: '" +
                                                  taken(first.admin_port()) + "' }\n" + rest);
  auto second = Process::Start({BuiltProgram("idemproxy"), {"run", "-c", file}, {}});
  CHECK(second.WaitForExit() == 1);
  CHECK(second.error_output().find(taken(first.admin_port()) + ": the address is in use") !=
        std::string::npos);
}

}  // namespace idem::support

// Clients that waste resources: their connections are closed or refused, and a good client is
// served all the time.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/process_memory.h"
#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"

namespace idem::support {

namespace {

using std::chrono::milliseconds;
using support::Always;
using support::Conversation;
using support::Response;
using support::ScriptedBackend;

// Under a sanitizer a connection costs ten times as much.
constexpr std::size_t kIdle = kSanitized ? 400 : 2000;
constexpr std::size_t kSlow = kSanitized ? 40 : 200;

std::string Yaml(const ScriptedBackend& backend, const std::string& limits = "", int workers = 2) {
  return "workers: " + std::to_string(workers) + "\nstore: { type: memory }\nlimits: {" + limits +
         "}\nroutes:\n  - path: /orders\n    upstream: http://" + backend.address() +
         "\n    idempotency: { max_recorded_body: 2MiB }\n";
}

FieldList Key(const std::string& key) { return {{"Idempotency-Key", key}}; }

/// Returns the head of a POST whose body has `length` bytes.
std::string PostHead(const std::string& key, std::size_t length) {
  return "POST /orders HTTP/1.1\r\nHost: test\r\nIdempotency-Key: " + key +
         "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

/// Returns the proxy's count of connections.
std::size_t Connections(const RunningProxy& proxy) {
  const std::string metrics = AskOnce(proxy.admin_port(), "GET", "/metrics").body;
  const std::string name = "idemproxy_connections{side=\"client\"} ";
  return std::stoul(metrics.substr(metrics.find(name) + name.size()));
}

/// A connection counts from its accept to its end, neither of which callers see.
void WaitForConnections(const RunningProxy& proxy, std::size_t least, std::size_t most) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const std::size_t now = Connections(proxy);
    if (now >= least && now <= most) return;
    CAPTURE(now);
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    std::this_thread::sleep_for(milliseconds(10));
  }
}

/// Limits the open files of this program, and of those that it starts, while this lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t wanted) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    REQUIRE(before_.rlim_max >= wanted);
    const rlimit limit{wanted, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

/// Connections that send nothing, and ones that stop within a request.
class Crowd {
 public:
  Crowd(std::uint16_t port, std::size_t idle, std::size_t slow) {
    const std::string request = PostHead("slow", 100) + std::string(99, 'x');
    for (std::size_t i = 0; i < idle; ++i) clients_.emplace_back(port);
    for (std::size_t i = 0; i < slow; ++i) {
      clients_.emplace_back(port);
      clients_.back().Send(request.substr(0, 1 + i % request.size()));
    }
  }
  /// Returns how many are neither answered nor closed.
  [[nodiscard]] std::size_t still_there() {
    std::size_t count = 0;
    for (HttpClient& client : clients_) count += client.Silent(milliseconds(0)) ? 1 : 0;
    return count;
  }

 private:
  std::vector<HttpClient> clients_;
};

}  // namespace

TEST_CASE("a good client is served while thousands of idle and slow ones hold on") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy = [&] {
    const DescriptorLimit low(256);  // the proxy raises its own limit
    return RunningProxy(Yaml(backend));
  }();
  const DescriptorLimit high(kIdle + kSlow + 200);  // this program holds the other ends
  HttpClient kept(proxy.port());
  CHECK(kept.Ask("POST", "/orders", Key("kept"), "{}").status == 201);

  std::atomic<bool> is_crowded = false;  // it is also served while they arrive
  std::atomic<int> served_meanwhile = 0;
  std::thread good([&] {
    do {
      const bool is_served = kept.Ask("POST", "/orders", Key("kept"), "{}").status == 201;
      served_meanwhile += is_served ? 1 : 0;
    } while (!is_crowded);
  });
  Crowd crowd(proxy.port(), kIdle, kSlow);
  is_crowded = true;
  good.join();
  CHECK(served_meanwhile > 0);
  WaitForConnections(proxy, kIdle + kSlow + 1, kIdle + kSlow + 1);

  for (int i = 0; i < 50; ++i) {
    const std::string key = "good-" + std::to_string(i);
    // A new connection.
    CHECK(AskOnce(proxy.port(), "POST", "/orders", Key(key), "{}").status == 201);
    const HttpResponse again = kept.Ask("POST", "/orders", Key(key), "{}");
    CHECK(again.status == 201);
    CHECK(again.Field("Idempotent-Replayed") == "true");
  }
  CHECK(crowd.still_there() == kIdle + kSlow);
  CHECK(backend.requests() == 51);
}

TEST_CASE(
    "a client that is too slow with a head or a body gets 408, an idle one is closed silently") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(
      Yaml(backend, "header_timeout: 300ms, body_timeout: 300ms, idle_timeout: 600ms"));

  HttpClient trickler(proxy.port());  // an occasional byte does not give a head more time
  const std::string head = PostHead("k-1", 2) + std::string(4000, 'x');
  std::size_t sent = 0;
  do {
    trickler.Send(head.substr(sent++ % 20, 1));
  } while (trickler.Silent(milliseconds(20)));
  const HttpResponse late_head = trickler.ReadResponse("POST");
  CHECK(late_head.status == 408);
  CHECK(late_head.body.find("request-timeout") != std::string::npos);

  HttpClient half(proxy.port());
  half.Send(PostHead("k-1", 10) + "half");
  CHECK(half.ReadResponse("POST").status == 408);
  CHECK(half.ReadEnding() == HttpClient::Ending::kOrderly);

  HttpClient idle(proxy.port());
  CHECK(idle.ReadEnding() == HttpClient::Ending::kOrderly);
  HttpClient idle_again(proxy.port());
  CHECK(idle_again.Ask("POST", "/orders", Key("k-2"), "{}").status == 201);
  CHECK(idle_again.ReadEnding() == HttpClient::Ending::kOrderly);

  WaitForConnections(proxy, 0, 0);
  CHECK(backend.requests() == 1);
}

TEST_CASE("a body that comes byte by byte holds no claim, and its sender is served in the end") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(backend));
  HttpClient slow(proxy.port());
  const std::string body = "0123456789";
  slow.Send(PostHead("k-1", body.size()));
  for (const char byte : body.substr(0, 9)) {
    slow.Send(std::string(1, byte));
    CHECK(slow.Silent(milliseconds(5)));
  }
  CHECK(backend.requests() == 0);
  const HttpResponse quick = AskOnce(proxy.port(), "POST", "/orders", Key("k-1"), body);
  CHECK(quick.status == 201);
  CHECK(quick.Count("Idempotent-Replayed") == 0);
  slow.Send(body.substr(9));
  const HttpResponse answer = slow.ReadResponse("POST");
  CHECK(answer.status == 201);
  CHECK(answer.Field("Idempotent-Replayed") == "true");
  CHECK(backend.requests() == 1);
}

TEST_CASE("at the connection limit who waits for a request makes room, who is served stays") {
  constexpr std::size_t kLimit = 20;
  ScriptedBackend backend([](Conversation& talk) {
    if (talk.request().Field("Idempotency-Key") == "held") talk.WaitForRelease();
    talk.Send(Response(201, "made"));
  });
  RunningProxy proxy(Yaml(backend, "connections: 20", 1));  // each worker makes room for itself
  HttpClient held(proxy.port());
  held.Send(RequestText("POST", "/orders", Key("held"), "{}"));
  REQUIRE(backend.WaitForRequests(1));

  std::vector<HttpClient> half_open;  // silent connections
  for (int i = 0; i < 500; ++i) {
    half_open.emplace_back(proxy.port());
    if (i % 10 != 0) continue;
    const std::string key = "k-" + std::to_string(i);
    CHECK(AskOnce(proxy.port(), "POST", "/orders", Key(key), "{}").status == 201);
  }
  backend.Release();
  CHECK(held.ReadResponse("POST").status == 201);
  CHECK(Connections(proxy) <= kLimit);
}

TEST_CASE(
    "at the connection limit newcomers are refused while all who are there are in a request") {
  constexpr std::size_t kLimit = 20;
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(backend, "connections: 20"));
  HttpClient good(proxy.port());
  good.Send("POST");  // it is within a request too
  auto slow = std::make_unique<Crowd>(proxy.port(), 0, kLimit - 1);
  WaitForConnections(proxy, kLimit, kLimit);

  HttpClient told(proxy.port());
  const HttpResponse refused = told.ReadResponse();
  CHECK(refused.status == 503);
  CHECK(refused.body.find("overloaded") != std::string::npos);
  CHECK(refused.Count("Retry-After") == 1);

  std::vector<HttpClient> flood;
  for (int i = 0; i < 500; ++i) flood.emplace_back(proxy.port());
  // Each is closed, with or without a response. A refused client may be cut during its response.
  for (HttpClient& client : flood) static_cast<void>(client.ReadEnding());
  CHECK(slow->still_there() == kLimit - 1);
  CHECK(Connections(proxy) == kLimit);
  good.Send(RequestText("POST", "/orders", Key("k-1"), "{}").substr(4));
  CHECK(good.ReadResponse("POST").status == 201);

  slow.reset();
  WaitForConnections(proxy, 1, 1);
  CHECK(AskOnce(proxy.port(), "POST", "/orders", Key("k-free"), "{}").status == 201);
}

TEST_CASE("who asks for replays and reads none of them holds no more than one") {
  constexpr int kAsked = kSanitized ? 40 : 200;
  const std::string body(2 * kMiB - 1024, 'x');
  ScriptedBackend backend(Always(Response(201, body)));
  RunningProxy proxy(Yaml(backend));
  const std::string ask = RequestText("POST", "/orders", Key("k-1"), "{}");
  CHECK(AskOnce(proxy.port(), "POST", "/orders", Key("k-1"), "{}").body == body);

  const MemoryWatch memory(proxy.process().pid());
  HttpClient hostile(proxy.port());
  for (int i = 0; i < kAsked; ++i) hostile.Send(ask);
  for (int i = 0; i < 20; ++i) {
    CHECK(AskOnce(proxy.port(), "POST", "/orders", Key("k-1"), "{}").body == body);
  }
  const std::size_t growth = memory.growth_bytes();
  MESSAGE("grew by " << growth / 1024 << " KiB");
  if (!kSanitized) CHECK(growth < 16 * kMiB);  // under a sanitizer memory is mostly the sanitizer's

  for (int i = 0; i < kAsked; ++i) {  // nothing was dropped, so it reads everything
    const HttpResponse answer = hostile.ReadResponse("POST");
    REQUIRE(answer.status == 201);
    REQUIRE(answer.body.size() == body.size());
  }
  CHECK(backend.requests() == 1);
}

}  // namespace idem::support

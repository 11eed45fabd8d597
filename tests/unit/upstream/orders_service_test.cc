#include "upstream/orders_service.h"

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "tests/support/fake_client.h"
#include "tests/support/virtual_loop.h"

namespace idem::upstream {

namespace {

using support::FakeClient;
using support::VirtualLoop;

constexpr std::string_view kBody = R"({"user_id":"u","item":"tea","amount":0.10})";

/// Stores orders by key, as a database does, and answers on a later turn.
class FakeStore final : public OrderStore {
 public:
  explicit FakeStore(Loop& loop) : loop_(loop) {}

  Ticket Put(NewOrder order, Function<void(Result<Order>)> on_answer) override {
    ++puts;
    const std::string key = order.key.value_or("");
    const auto [at, _] = orders.try_emplace(
        key, Order{order.id, order.request, order.key, "2026-01-02T03:04:05.000000Z"});
    return Answer<Result<Order>>(std::move(on_answer), at->second);
  }
  Ticket FindById(std::string id, OnFound on_found) override {
    for (const auto& [_, order] : orders) {
      if (order.id == id) return Found(std::move(on_found), order);
    }
    return Found(std::move(on_found), std::nullopt);
  }
  Ticket FindByKey(std::string key, OnFound on_found) override {
    const auto at = orders.find(key);
    if (at == orders.end()) return Found(std::move(on_found), std::nullopt);
    return Found(std::move(on_found), at->second);
  }
  [[nodiscard]] bool reachable() const override { return !away; }

  std::map<std::string, Order> orders;
  bool away = false;
  Delivery delivery = Delivery::kNotSent;  // of what fails while it is away
  int puts = 0;

 private:
  Ticket Found(OnFound on_found, std::optional<Order> order) {
    return Answer<Result<std::optional<Order>>>(std::move(on_found), std::move(order));
  }
  template <class T>
  Ticket Answer(Function<void(T)> callback, T answer) {
    if (away) answer = Error{ErrorCode::kUnavailable, "away", delivery};
    return loop_.After(Duration::zero(),
                       [callback = std::move(callback), answer = std::move(answer)]() mutable {
                         callback(std::move(answer));
                       });
  }
  Loop& loop_;
};

struct Fixture {
  explicit Fixture(const FaultPlan& plan = {}) : service(loop, store, random, plan) {}

  /// Passes a request to the service. Its body comes as soon as the service asks for it.
  void Begin(FakeClient& client, http::RequestHead head, std::string_view body = {}) {
    http::ServerHandler* handler = service.OnRequest(client, head);
    CHECK(client.heads == 0);
    loop.Advance(Duration::zero());
    if (client.body_wanted && !client.ended) {
      if (!body.empty()) handler->OnBody(body);
      if (client.body_wanted) handler->OnBodyEnd();
    }
    loop.Advance(Duration::zero());
    loop.Advance(Duration::zero());
  }

  static http::RequestHead Head(std::string_view method, std::string_view target) {
    http::RequestHead head;
    head.method = method;
    head.target = target;
    return head;
  }
  static http::RequestHead PostHead(std::string_view key = "k-1") {
    http::RequestHead head = Head("POST", "/orders");
    head.fields.Add("Content-Type", "application/json");
    if (!key.empty()) head.fields.Add("Idempotency-Key", key);
    return head;
  }
  FakeClient Post(std::string_view key = "k-1", std::string_view body = kBody) {
    FakeClient client;
    Begin(client, PostHead(key), body);
    return client;
  }
  FakeClient Ask(std::string_view method, std::string_view target) {
    FakeClient client;
    Begin(client, Head(method, target));
    return client;
  }

  VirtualLoop loop;
  FakeStore store{loop};
  SystemRandom random;
  OrdersService service;
};

}  // namespace

TEST_CASE("a POST is answered with the stored order, the same one every time") {
  Fixture fixture;
  const FakeClient first = fixture.Post();
  CHECK(first.head.status == 201);
  CHECK(first.ended);
  CHECK(first.Field("Content-Type") == "application/json");
  CHECK(first.head.body == http::BodyLength::Known(first.body.size()));
  CHECK(first.body.find(R"("amount":0.10,"idempotency_key":"k-1")") != std::string::npos);
  const FakeClient again = fixture.Post("\"k-1\"", R"({"amount":0.1,"item":"tea","user_id":"u"})");
  CHECK(again.head.status == 201);
  CHECK(again.body == first.body);
}

TEST_CASE("a key that belongs to another order is refused") {
  Fixture fixture;
  CHECK(fixture.Post().head.status == 201);
  const FakeClient other = fixture.Post("k-1", R"({"user_id":"u","item":"tea","amount":0.2})");
  CHECK(other.head.status == 409);
  CHECK(other.Field("Content-Type") == "application/problem+json");
}

TEST_CASE("a stored order is found by its id and by its key") {
  Fixture fixture;
  const FakeClient made = fixture.Post();
  const std::string id = fixture.store.orders.at("k-1").id;
  for (const std::string& target :
       {"/orders/" + id, std::string("/orders?idempotency_key=k%2D1")}) {
    CAPTURE(target);
    const FakeClient found = fixture.Ask("GET", target);
    CHECK(found.head.status == 200);
    CHECK(found.body == made.body);
  }
  CHECK(fixture.Ask("GET", "/orders?idempotency_key=k-2").head.status == 404);
  CHECK(fixture.Ask("GET", "/orders/00000000-0000-4000-8000-000000000000").head.status == 404);
}

TEST_CASE("what the head refuses never asks for the body") {
  Fixture fixture;
  FakeClient client;
  fixture.Begin(client, Fixture::Head("DELETE", "/orders"));
  CHECK(client.head.status == 405);
  CHECK(client.Field("Allow") == "GET, HEAD, POST");
  CHECK_FALSE(client.body_wanted);

  FakeClient large;
  http::RequestHead head = Fixture::PostHead();
  head.body = http::BodyLength::Known(kBodyBytesMax + 1);
  fixture.Begin(large, std::move(head));
  CHECK(large.head.status == 413);
  CHECK_FALSE(large.body_wanted);
  CHECK(fixture.store.puts == 0);
}

TEST_CASE("a body that grows too large is refused") {
  Fixture fixture;
  const FakeClient client = fixture.Post("k-1", std::string(kBodyBytesMax + 1, ' '));
  CHECK(client.head.status == 413);
  CHECK(client.ended);
}

TEST_CASE("a body that is no order, or none at all, is answered with the reason") {
  Fixture fixture;
  const FakeClient client = fixture.Post("k-1", R"({"user_id":"u","item":"tea","amount":"5"})");
  CHECK(client.head.status == 400);
  CHECK(client.body ==
        R"({"type":"urn:orders:problem:order-invalid","title":"Bad Request","status":400,)"
        R"("detail":"amount must be a number"})");
  CHECK(fixture.Post("k-1", "").head.status == 400);
  CHECK(fixture.store.puts == 0);
}

TEST_CASE("a message that could not be read is answered as the connection says") {
  Fixture fixture;
  FakeClient client;
  http::RequestHead head;
  fixture.service.OnBadRequest(client, head, {431, "headers-too-large", "too many"});
  fixture.loop.Advance(Duration::zero());
  CHECK(client.head.status == 431);

  FakeClient cut;
  head = Fixture::PostHead();
  http::ServerHandler* handler = fixture.service.OnRequest(cut, head);
  fixture.loop.Advance(Duration::zero());
  handler->OnBodyError({408, "request-timeout", "too slow"});
  CHECK(cut.head.status == 408);
}

TEST_CASE("with the database unreachable a request gets 500, and health reports it") {
  Fixture fixture;
  CHECK(fixture.Ask("GET", "/healthz").body == R"({"status":"ok","database":"reachable"})");
  fixture.store.away = true;
  CHECK(fixture.Post().head.status == 500);
  CHECK(fixture.Ask("GET", "/orders?idempotency_key=k-1").head.status == 500);
  const FakeClient health = fixture.Ask("GET", "/healthz");
  CHECK(health.head.status == 200);
  CHECK(health.body == R"({"status":"ok","database":"unreachable"})");
}

TEST_CASE("legacy needs no key") {
  CHECK(Fixture().Post("").head.status == 400);
  Fixture legacy({.legacy = true});
  const FakeClient client = legacy.Post("");
  CHECK(client.head.status == 201);
  CHECK(client.body.find(R"("idempotency_key":null)") != std::string::npos);
}

TEST_CASE("a row waits for the delay") {
  using std::chrono::milliseconds;
  Fixture fixture({.delay = milliseconds(50)});
  FakeClient client;
  fixture.Begin(client, Fixture::PostHead(), kBody);
  fixture.loop.Advance(milliseconds(49));
  CHECK(fixture.store.puts == 0);
  fixture.loop.Advance(milliseconds(1));
  fixture.loop.Advance(Duration::zero());
  CHECK(client.head.status == 201);
}

TEST_CASE("a client that leaves is forgotten, whenever it leaves") {
  Fixture fixture({.delay = std::chrono::milliseconds(50)});
  FakeClient client;
  http::RequestHead head = Fixture::PostHead();
  fixture.service.OnRequest(client, head)->OnClientGone();
  fixture.loop.Advance(Duration::zero());

  head = Fixture::PostHead();
  http::ServerHandler* handler = fixture.service.OnRequest(client, head);
  fixture.loop.Advance(Duration::zero());
  handler->OnBody(kBody);
  handler->OnBodyEnd();
  handler->OnClientGone();
  fixture.loop.Advance(std::chrono::seconds(1));
  CHECK(client.heads == 0);
  CHECK(fixture.store.puts == 0);
}

TEST_CASE("a database that is lost during a commit leaves the outcome open: 503, not 500") {
  Fixture fixture;
  fixture.store.away = true;
  fixture.store.delivery = Delivery::kMaybeSent;
  const FakeClient put = fixture.Post();
  CHECK(put.head.status == 503);
  CHECK(put.body.find("outcome-unknown") != std::string::npos);
  CHECK(fixture.Ask("GET", "/orders?idempotency_key=k-1").head.status ==
        500);  // it changes nothing
}

TEST_CASE("a request fails on purpose in three ways") {
  Fixture refusing({.fault = Fault::kError});
  CHECK(refusing.Post().head.status == 500);
  CHECK(refusing.store.puts == 0);

  Fixture dropping({.fault = Fault::kDropAfterCommit});
  const FakeClient dropped = dropping.Post();
  CHECK(dropped.aborted);
  CHECK(dropped.heads == 0);
  CHECK(dropping.store.puts == 1);

  Fixture hanging({.fault = Fault::kHangAfterCommit});
  FakeClient client;
  hanging.Begin(client, Fixture::PostHead(), kBody);
  hanging.loop.Advance(std::chrono::hours(1));
  CHECK(hanging.store.puts == 1);
  CHECK(client.heads == 0);
  CHECK_FALSE(client.aborted);
  hanging.service.AbortHanging();
  CHECK(client.aborted);
}

TEST_CASE("a share of the requests fails, the same ones for the same seed") {
  const auto run = [](std::uint64_t seed) {
    Fixture fixture({.fault = Fault::kError, .fault_rate = 0.1, .fault_seed = seed});
    std::vector<int> failed;
    for (int i = 0; i < 1000; ++i) {
      if (fixture.Post().head.status == 500) failed.push_back(i);
    }
    return failed;
  };
  const auto failed = run(7);
  CHECK(failed.size() > 50);
  CHECK(failed.size() < 200);
  CHECK(run(7) == failed);
  CHECK(run(8) != failed);
}

}  // namespace idem::upstream

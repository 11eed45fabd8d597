// Unknown claims and a backend that can be queried: semantics.md, "Reconcile".
#include <doctest/doctest.h>

#include "tests/simulation/world.h"

namespace idem::simulation {

namespace {

using exchange::RequestDecision;
using ports::UpstreamProblem;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLease{45};
constexpr seconds kAfter{120};

idempotency::Policy Reconciling(std::string found_when = "") {
  auto policy = Legacy();
  policy.scope = {{idempotency::ScopeRule::Kind::kRoute, ""}};
  auto& rule = policy.reconcile.emplace();
  rule.get = "/orders?k={key}";
  rule.headers = {{"Authorization", "Bearer t"}};
  rule.found = 201;
  rule.found_when = std::move(found_when);
  rule.after = kAfter;
  rule.interval = seconds(10);
  return policy;
}

// A key whose first request was written and not answered.
struct Unknown : World {
  explicit Unknown(const idempotency::Policy& policy = Reconciling()) : World(policy) {
    first = proxy.Post("k/1");
    loop.Settle();
    FakeUpstream::Fail(call(0), UpstreamProblem::kTimeout, Delivery::kMaybeSent);
    loop.Settle();
  }
  void LetTimePass() { loop.Advance(kLease + kAfter); }
  VirtualProxy::Sent Again() {
    auto sent = proxy.Post("k/1");
    loop.Settle();
    return sent;
  }
  const idempotency::Record& record() { return state.records.begin()->second; }

  VirtualProxy::Sent first;
};

void CheckStaysUnknown(const VirtualProxy::Sent& sent, std::string_view retry_after) {
  CHECK(sent->head.status == 503);
  CHECK(sent->body.find("outcome-unknown") != std::string::npos);
  CHECK(sent->body.find("\"same-key\"") != std::string::npos);
  CHECK(sent->Field("Retry-After") == retry_after);
}

}  // namespace

TEST_CASE("the caller whose outcome became unknown is told when to come back") {
  Unknown world;
  CHECK(world.first->head.status == 504);
  CHECK(world.first->body.find("\"same-key\"") != std::string::npos);
  CHECK(world.first->Field("Retry-After") == "165");
}

TEST_CASE("a key by which a backend cannot be asked is for its owner to settle, from the start") {
  auto policy = Reconciling();
  policy.reconcile->get = "/orders/{key}";
  World world(policy);
  auto first = world.proxy.Post("..");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kTimeout, Delivery::kMaybeSent);
  world.loop.Settle();
  world.loop.Advance(kLease + kAfter);
  auto again = world.proxy.Post("..");
  world.loop.Settle();
  for (const VirtualProxy::Sent* sent : {&first, &again}) {
    CHECK((*sent)->body.find("\"settle\"") != std::string::npos);
    CHECK((*sent)->head.fields.Count("Retry-After") == 0);
  }
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("before its time an unknown claim is not looked up") {
  Unknown world;
  CheckStaysUnknown(world.Again(), "165");
  world.loop.Advance(kLease + kAfter - milliseconds(1));
  CheckStaysUnknown(world.Again(), "1");
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("an effect that is found is recorded under the token that was looked up, and replayed") {
  Unknown world;
  const auto token = world.record().claim.token;
  world.LetTimePass();
  auto asker = world.Again();
  REQUIRE(world.proxy.upstream->calls.size() == 2);
  const auto& question = world.call(1);
  CHECK(question.head.method == "GET");
  CHECK(question.head.target == "/orders?k=k%2F1");
  CHECK(question.head.fields.Find("Authorization") == "Bearer t");
  CHECK(question.head.fields.Find("Host") == "pay.test");
  CHECK(question.head.fields.Find("Accept-Encoding") == "identity");
  CHECK(question.head.fields.Count("Idempotency-Key") == 0);
  CHECK(question.head.body == http::BodyLength{});
  CHECK_FALSE(question.terms.claim);
  CHECK(question.terms.retry_stale);
  CHECK(asker->heads == 0);
  FakeUpstream::Answer(world.call(1), 200, "made",
                       {{"X-Order", "7"},
                        {"Set-Cookie", "a=1"},
                        {"Date", "today"},
                        {"Connection", "X-Hop"},
                        {"X-Hop", "1"},
                        {"Idempotent-Replayed", "false"}});
  CHECK(asker->heads == 0);  // record, then reply
  world.loop.Settle();
  CHECK(asker->head.status == 201);
  CHECK(asker->body == "made");
  CHECK(asker->Field("Idempotent-Replayed") == "true");
  CHECK(asker->Field("X-Order") == "7");
  for (const char* name : {"Set-Cookie", "Date", "X-Hop", "Connection"}) {
    CHECK(asker->Field(name) == "(absent)");
  }
  CHECK(world.proxy.reports.back().verdict == RequestDecision::kReconciled);
  CHECK(world.record().state == idempotency::RecordState::kCompleted);
  CHECK(world.record().claim.token == token);

  auto later = world.Again();
  CHECK(later->body == "made");
  CHECK(world.proxy.reports.back().verdict == RequestDecision::kReplayed);
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE("what is not there is executed under a new token, for the request that asked") {
  for (const std::uint16_t status : {std::uint16_t{404}, std::uint16_t{410}}) {
    CAPTURE(status);
    Unknown world;
    const auto token = world.record().claim.token;
    world.LetTimePass();
    auto asker = world.Again();
    FakeUpstream::Answer(world.call(1), status, "none");
    world.loop.Settle();
    REQUIRE(world.proxy.upstream->calls.size() == 3);
    CHECK(world.call(2).head.method == "POST");
    CHECK(world.call(2).terms.claim);
    CHECK(world.record().state == idempotency::RecordState::kExecuting);
    CHECK(world.record().claim.token != token);
    FakeUpstream::Answer(world.call(2), 201, "made");
    world.loop.Settle();
    CHECK(asker->body == "made");
    CHECK(asker->Field("Idempotent-Replayed") == "(absent)");
    CHECK(world.proxy.reports.back().verdict == RequestDecision::kExecuted);
  }
}

TEST_CASE("any other answer of the backend leaves the claim unknown, and it is asked again later") {
  Unknown world(Reconciling("/order/id"));
  world.LetTimePass();
  struct Row {
    std::uint16_t status;
    const char* body;
  };
  const Row rows[] = {{500, ""}, {200, "[]"}, {200, "{\"order\":null}"}, {403, ""}, {302, ""}};
  std::size_t asked = 1;
  for (const Row& row : rows) {
    CAPTURE(row.status);
    auto asker = world.Again();
    REQUIRE(world.proxy.upstream->calls.size() == ++asked);
    FakeUpstream::Answer(world.call(asked - 1), row.status, row.body);
    world.loop.Settle();
    CheckStaysUnknown(asker, "10");
    world.loop.Advance(milliseconds(9'999));
    CheckStaysUnknown(world.Again(), "1");
    CHECK(world.proxy.upstream->calls.size() == asked);
    world.loop.Advance(milliseconds(1));
  }
  // The backend was slow to show its effect.
  auto asker = world.Again();
  FakeUpstream::Answer(world.call(asked), 200, "{\"order\":{\"id\":\"o-1\"}}");
  world.loop.Settle();
  CHECK(asker->head.status == 201);
  CHECK(asker->body == "{\"order\":{\"id\":\"o-1\"}}");
  CHECK(world.proxy.upstream->begun() == 7);
}

TEST_CASE("a look-up that fails, is too large or takes too long leaves the claim unknown") {
  auto policy = Reconciling();
  policy.max_recorded_body = 8;
  Unknown world(policy);
  world.LetTimePass();
  auto failed = world.Again();
  FakeUpstream::Fail(world.call(1), UpstreamProblem::kUnreachable, Delivery::kNotSent);
  world.loop.Settle();
  CheckStaysUnknown(failed, "10");

  world.loop.Advance(seconds(10));
  auto announced = world.Again();
  FakeUpstream::AnswerHead(world.call(2), 200, http::BodyLength::Known(9));
  world.loop.Settle();
  CheckStaysUnknown(announced, "10");
  CHECK(world.call(2).dropped);

  world.loop.Advance(seconds(10));
  auto streamed = world.Again();
  FakeUpstream::AnswerHead(world.call(3), 200, {http::BodyLength::Kind::kChunked, 0});
  world.call(3).events->OnUpstreamBody("012345678");
  world.loop.Settle();
  CheckStaysUnknown(streamed, "10");
  CHECK(world.call(3).dropped);

  world.loop.Advance(seconds(10));
  auto slow = world.Again();
  world.loop.Advance(milliseconds(9'999));
  CHECK(slow->heads == 0);
  world.loop.Advance(milliseconds(1));
  CheckStaysUnknown(slow, "10");
  CHECK(world.call(4).dropped);
  CHECK(world.record().state == idempotency::RecordState::kUnknown);
}

TEST_CASE("of all askers one looks up, whichever proxy they ask") {
  Unknown world;
  VirtualProxy other(world.loop, world.state, 2);
  other.Serve(Reconciling());
  world.LetTimePass();
  auto asker = world.Again();
  CheckStaysUnknown(world.Again(), "10");
  auto remote = other.Post("k/1");
  world.loop.Settle();
  CheckStaysUnknown(remote, "10");
  CHECK(other.upstream->calls.empty());
  FakeUpstream::Answer(world.call(1), 404);
  world.loop.Settle();
  auto waiter = other.Post("k/1");  // another request executes now
  world.loop.Settle();
  CHECK(waiter->heads == 0);
  FakeUpstream::Answer(world.call(2), 201, "made");
  world.loop.Advance(milliseconds(300));
  CHECK(asker->body == "made");
  CHECK(waiter->body == "made");
  CHECK(other.upstream->calls.empty());
}

TEST_CASE("a claim whose process died is looked up when its lease and `after` are over") {
  World world(Reconciling());
  {
    VirtualProxy dead(world.loop, world.state, 9);
    dead.Serve(Reconciling());
    auto lost = dead.Post("k/1");
    world.loop.Settle();
  }
  world.loop.Advance(kLease + kAfter - milliseconds(1));
  auto early = world.proxy.Post("k/1");
  world.loop.Settle();
  CheckStaysUnknown(early, "1");
  world.loop.Advance(milliseconds(1));
  auto asker = world.proxy.Post("k/1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 200, "made");
  world.loop.Settle();
  CHECK(asker->body == "made");
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE(
    "an asker that leaves ends its look-up, and the next one asks when the right has lapsed") {
  Unknown world;
  world.LetTimePass();
  auto leaver = world.Again();
  leaver.handler->OnClientGone();
  world.loop.Settle();
  CHECK(world.call(1).dropped);
  CHECK(world.proxy.registry().live() == 0);
  CheckStaysUnknown(world.Again(), "10");
  world.loop.Advance(seconds(10));
  auto next = world.Again();
  FakeUpstream::Answer(world.call(2), 200, "made");
  world.loop.Settle();
  CHECK(next->body == "made");
}

TEST_CASE("an asker that leaves before the right to look up was granted asks nobody") {
  Unknown world;
  world.LetTimePass();
  world.proxy.store.hold_answers = true;
  auto leaver = world.proxy.Post("k/1");
  world.loop.Settle();
  world.proxy.store.Deliver();  // the record of the key
  world.proxy.store.hold_answers = true;
  world.loop.Settle();
  CHECK(world.state.look_ups.size() == 1);
  leaver.handler->OnClientGone();
  world.proxy.store.Deliver();
  world.loop.Settle();
  CHECK(world.proxy.upstream->calls.size() == 1);
  CHECK(world.proxy.registry().live() == 0);
}

TEST_CASE("an asker that leaves while what was found is recorded does not lose it") {
  Unknown world;
  world.LetTimePass();
  auto leaver = world.Again();
  FakeUpstream::Answer(world.call(1), 200, "made");
  leaver.handler->OnClientGone();
  world.loop.Settle();
  CHECK(world.record().state == idempotency::RecordState::kCompleted);
  CHECK(world.proxy.registry().live() == 0);
}

TEST_CASE("an asker that leaves while nothing is found, before its claim, gets no effect") {
  Unknown world;
  world.LetTimePass();
  auto leaver = world.Again();
  world.proxy.store.hold_answers = true;
  FakeUpstream::Answer(world.call(1), 404);
  leaver.handler->OnClientGone();
  world.proxy.store.Deliver();
  world.loop.Settle();
  CHECK(world.proxy.upstream->calls.size() == 2);
  CHECK(world.state.records.empty());
}

TEST_CASE("a store that fails on the way leaves the claim unknown, and executes nothing") {
  Unknown world;
  world.LetTimePass();
  auto asker = world.Again();
  world.proxy.store.away = true;
  FakeUpstream::Answer(world.call(1), 404);
  world.loop.Settle();
  CHECK(asker->head.status == 503);
  CHECK(world.proxy.upstream->calls.size() == 2);
  CHECK(world.record().state == idempotency::RecordState::kUnknown);
}

TEST_CASE("a claim after a look-up whose answer was lost is withdrawn, and its key is free") {
  Unknown world;
  world.LetTimePass();
  auto asker = world.Again();
  // The absent effect is claimed, and the claim is not answered.
  world.proxy.store.hold_answers = true;
  FakeUpstream::Answer(world.call(1), 404);
  world.loop.Advance(seconds(10));
  CHECK(asker->head.status == 503);
  world.proxy.store.Deliver();
  world.loop.Advance(seconds(1));
  CHECK(world.state.records.empty());
  CHECK(world.proxy.upstream->calls.size() == 2);
  CHECK(world.proxy.settler().pending() == 0);
}

TEST_CASE("what was found and cannot be recorded in time is not told yet") {
  Unknown world;
  world.LetTimePass();
  auto asker = world.Again();
  world.proxy.store.away = true;
  FakeUpstream::Answer(world.call(1), 200, "made");
  world.loop.Advance(milliseconds(1'999));
  CHECK(asker->heads == 0);
  world.loop.Advance(milliseconds(1));
  CheckStaysUnknown(asker, "10");
  world.proxy.store.away = false;
  world.loop.Advance(seconds(3));
  auto later = world.Again();
  CHECK(later->body == "made");
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE("the claim's own outcome may arrive during a look-up, and counts") {
  Unknown world;
  world.LetTimePass();
  auto asker = world.Again();
  auto& record = world.state.records.begin()->second;
  record = idempotency::MakeCompleted(
      record.claim, record.begun_at, record.lease_ends_at,
      std::make_shared<const idempotency::StoredResponse>(idempotency::StoredResponse{
          .status = 201, .fields = {}, .body_kept = true, .body = "its own"}),
      std::chrono::hours(24), world.proxy.store.Now());
  SUBCASE("and the look-up finds the effect in other words") {
    FakeUpstream::Answer(world.call(1), 200, "another view");
  }
  SUBCASE("and the look-up finds nothing") { FakeUpstream::Answer(world.call(1), 404); }
  world.loop.Settle();
  CHECK(asker->body == "its own");
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE("an effect whose overtaker is to be looked up is told as unknown, and nobody is asked") {
  World world(Reconciling());
  auto slow = world.proxy.Post("k/1");
  world.loop.Settle();
  world.state.records.clear();  // the store forgot the claim
  auto other = world.proxy.Post("k/1");
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->begun() == 2);
  FakeUpstream::Fail(world.call(1), UpstreamProblem::kReset, Delivery::kMaybeSent);
  world.loop.Advance(kLease + kAfter);
  FakeUpstream::Answer(world.call(0), 201, "mine");
  world.loop.Settle();
  CHECK(slow->body.find("outcome-unknown") != std::string::npos);
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE("a look-up that is under way when a drain begins is brought to its end") {
  for (const bool found : {true, false}) {
    CAPTURE(found);
    Unknown world;
    world.LetTimePass();
    auto asker = world.Again();
    world.proxy.registry().Drain();
    FakeUpstream::Answer(world.call(1), found ? std::uint16_t{200} : std::uint16_t{404}, "made");
    world.loop.Settle();
    if (!found) {
      REQUIRE(world.proxy.upstream->calls.size() == 3);
      FakeUpstream::Answer(world.call(2), 201, "made");
      world.loop.Settle();
    }
    CHECK(asker->body == "made");
    CHECK(world.proxy.registry().live() == 0);
  }
}

TEST_CASE("a look-up that outlives the grace leaves the claim unknown, and none of its own") {
  Unknown world;
  world.LetTimePass();
  auto asker = world.Again();
  world.proxy.registry().Cut();
  CHECK(world.call(1).dropped);
  CHECK(world.proxy.metrics.claims_cut.value() == 0);
  CHECK(world.record().state == idempotency::RecordState::kUnknown);
}

TEST_CASE("a request that differs is told so, and nobody is asked") {
  Unknown world;
  world.LetTimePass();
  auto other = world.proxy.Post("k/1", "{\"a\":2}");
  world.loop.Settle();
  CHECK(other->body.find("payload-mismatch") != std::string::npos);
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("a proxy that dies during a look-up leaves the claim as it was") {
  Unknown world;
  world.LetTimePass();
  {
    VirtualProxy dead(world.loop, world.state, 9);
    dead.Serve(Reconciling());
    auto lost = dead.Post("k/1");
    world.loop.Settle();
    CHECK(dead.upstream->calls.size() == 1);
  }
  CHECK(world.record().state == idempotency::RecordState::kUnknown);
  world.loop.Advance(seconds(10));
  auto next = world.Again();
  FakeUpstream::Answer(world.call(1), 200, "made");
  world.loop.Settle();
  CHECK(next->body == "made");
}

}  // namespace idem::simulation

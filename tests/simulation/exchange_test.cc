// Whole exchanges, step by step. Each case is one sentence of semantics.md.
#include <doctest/doctest.h>

#include "tests/simulation/world.h"

namespace idem::simulation {

namespace {

using exchange::RequestDecision;
using ports::UpstreamProblem;
using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

TEST_CASE("a fresh key is executed once, recorded, and then replayed with the same bytes") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->begun() == 1);
  FakeUpstream::Answer(world.call(0), 201, "made", {{"X-Order", "7"}, {"Set-Cookie", "a=1"}});
  CHECK(first->heads == 0);  // record, then reply
  world.loop.Settle();
  CHECK(first->head.status == 201);
  CHECK(first->body == "made");
  CHECK(first->Field("Set-Cookie") == "a=1");
  CHECK(first->Field("Idempotent-Replayed") == "(absent)");
  CHECK(first->ended);

  auto again = world.proxy.Post("\"k-1\"");
  world.loop.Settle();
  CHECK(again->head.status == 201);
  CHECK(again->body == "made");
  CHECK(again->Field("X-Order") == "7");
  CHECK(again->Field("Set-Cookie") == "(absent)");
  CHECK(again->Field("Idempotent-Replayed") == "true");
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("the upstream gets the bare key, identity encoding, and the proxy's own fields") {
  World world;
  auto sent = world.proxy.Post("\"k \"", "{}", {});  // a space: not a key
  CHECK(sent->head.status == 400);
  auto good =
      world.proxy.Post("\"k-1\";p=1", "{}", {{"Accept-Encoding", "gzip"}, {"Via", "1.0 a"}});
  world.loop.Settle();
  const auto& fields = world.call(0).head.fields;
  CHECK(fields.Find("Idempotency-Key") == "k-1");
  CHECK(fields.Count("Idempotency-Key") == 1);
  CHECK(fields.Find("Accept-Encoding") == "identity");
  CHECK(fields.Find("Via") == "1.0 a, 1.1 idemproxy");
  CHECK(fields.Find("X-Forwarded-For") == "192.0.2.1");
  CHECK(fields.Find("X-Forwarded-Host") == "pay.test");
  CHECK(fields.Find("X-Request-Id")->size() == 32);
}

TEST_CASE("the same key with another body is a mismatch, and nothing is forwarded") {
  World world;
  auto first = world.proxy.Post("k-1", "{\"a\":1}");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  auto other = world.proxy.Post("k-1", "{\"a\":2}");
  world.loop.Settle();
  CHECK(other->head.status == 409);
  CHECK(other->body.find("payload-mismatch") != std::string::npos);
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("a duplicate waits for the first and gets its response as a replay") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto duplicate = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(duplicate->heads == 0);
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  CHECK(first->body == "made");
  CHECK(duplicate->body == "made");
  CHECK(duplicate->Field("Idempotent-Replayed") == "true");
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("a duplicate whose wait runs out is told 503 with Retry-After") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto duplicate = world.proxy.Post("k-1");
  world.loop.Advance(seconds(29));
  CHECK(duplicate->heads == 0);
  world.loop.Advance(seconds(2));
  CHECK(duplicate->head.status == 503);
  CHECK(duplicate->Field("Retry-After") == "1");
  CHECK(duplicate->body.find("in-progress") != std::string::npos);
}

TEST_CASE("with in_progress: reject a duplicate is told at once") {
  auto policy = Legacy();
  policy.in_progress = idempotency::InProgress::kReject;
  World world(policy);
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto duplicate = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(duplicate->head.status == 503);
}

TEST_CASE("waiters of one key are bounded") {
  auto policy = Legacy();
  policy.max_waiters_per_key = 2;
  World world(policy);
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto second = world.proxy.Post("k-1");
  auto third = world.proxy.Post("k-1");
  auto fourth = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(second->heads == 0);
  CHECK(third->heads == 0);
  CHECK(fourth->head.status == 503);
}

TEST_CASE("a released claim wakes one waiter to execute, and all get its answer") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto second = world.proxy.Post("k-1");
  auto third = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kUnreachable, Delivery::kNotSent);
  world.loop.Settle();
  CHECK(first->head.status == 502);
  REQUIRE(world.proxy.upstream->calls.size() == 2);
  FakeUpstream::Answer(world.call(1), 201, "made");
  world.loop.Settle();
  CHECK(second->body == "made");
  CHECK(third->body == "made");
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE(
    "a waiter whose key another request has taken meanwhile gets a mismatch, not its answer") {
  World world;
  VirtualProxy other(world.loop, world.state, 2);
  other.Serve(Legacy());
  auto first = world.proxy.Post("k-1", "{\"a\":1}");
  world.loop.Settle();
  auto duplicate = other.Post("k-1", "{\"a\":1}");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kUnreachable, Delivery::kNotSent);
  world.loop.Settle();
  auto rival = world.proxy.Post("k-1", "{\"a\":2}");
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->calls.size() == 2);
  SUBCASE("while it executes") {}
  SUBCASE("when it is answered") { FakeUpstream::Answer(world.call(1), 201, "rival's"); }
  world.loop.Advance(milliseconds(300));
  CHECK(duplicate->body.find("payload-mismatch") != std::string::npos);
  CHECK(other.upstream->calls.empty());
}

TEST_CASE("a duplicate at another proxy finds the answer by asking the store") {
  World world;
  VirtualProxy other(world.loop, world.state, 2);
  other.Serve(Legacy());
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto duplicate = other.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  CHECK(duplicate->heads == 0);
  world.loop.Advance(milliseconds(300));
  CHECK(duplicate->body == "made");
  CHECK(other.upstream->calls.empty());
}

TEST_CASE("bytes written and no answer: a legacy claim becomes unknown, and says so ever after") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kTimeout, Delivery::kMaybeSent);
  world.loop.Settle();
  CHECK(first->head.status == 504);
  CHECK(first->body.find("\"settle\"") != std::string::npos);
  CHECK(first->body.find("did not answer in time. The effect may have happened.") !=
        std::string::npos);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->head.status == 504);
  CHECK(again->body.find("outcome-unknown") != std::string::npos);
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("bytes written and no answer: an idempotent backend is tried again by the next request") {
  World world(Idempotent());
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kReset, Delivery::kMaybeSent);
  world.loop.Settle();
  CHECK(first->head.status == 502);
  CHECK(first->body.find("\"same-key\"") != std::string::npos);
  CHECK(first->body.find("may have happened") == std::string::npos);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(world.proxy.upstream->begun() == 2);
}

TEST_CASE("a claim whose process died is unknown once its lease has run out") {
  World world;
  {
    VirtualProxy dead(world.loop, world.state, 9);
    dead.Serve(Legacy());
    auto lost = dead.Post("k-1");
    world.loop.Settle();
    CHECK(dead.upstream->begun() == 1);
  }
  auto soon = world.proxy.Post("k-1");
  world.loop.Advance(seconds(31));
  CHECK(soon->body.find("in-progress") != std::string::npos);
  world.loop.Advance(seconds(20));
  auto late = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(late->body.find("outcome-unknown") != std::string::npos);
  CHECK(world.proxy.upstream->calls.empty());
}

TEST_CASE("a claim whose process died is taken over where both sides are idempotent") {
  World world(Idempotent());
  {
    VirtualProxy dead(world.loop, world.state, 9);
    dead.Serve(Idempotent());
    auto lost = dead.Post("k-1");
    world.loop.Settle();
  }
  world.loop.Advance(seconds(46));
  auto late = world.proxy.Post("k-1");
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->begun() == 1);
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  CHECK(late->body == "made");
}

TEST_CASE(
    "a claim made while the route was legacy is not taken over by a route that became idempotent") {
  World world(Idempotent());
  {
    VirtualProxy dead(world.loop, world.state, 9);
    dead.Serve(Legacy());
    auto lost = dead.Post("k-1");
    world.loop.Settle();
  }
  world.loop.Advance(seconds(46));
  auto late = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(late->body.find("outcome-unknown") != std::string::npos);
  CHECK(world.proxy.upstream->calls.empty());
}

TEST_CASE("a client that leaves does not lose the outcome") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  first.handler->OnClientGone();
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  CHECK(first->heads == 0);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->body == "made");
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("a client that leaves before its claim began leaves no claim") {
  World world;
  world.proxy.store.hold_answers = true;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  first.handler->OnClientGone();
  world.proxy.store.Deliver();
  world.loop.Settle();
  CHECK(world.proxy.upstream->calls.empty());
  CHECK(world.state.records.empty());
}

TEST_CASE("a store that is away: 503, nothing is forwarded") {
  World world;
  world.proxy.store.away = true;
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(sent->head.status == 503);
  CHECK(sent->body.find("store-unavailable") != std::string::npos);
  CHECK(world.proxy.upstream->calls.empty());
}

TEST_CASE("a begin whose answer was lost is withdrawn, and its key is free again") {
  World world;
  world.proxy.store.lose_answers = true;
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(sent->head.status == 503);
  CHECK(world.proxy.upstream->calls.empty());
  CHECK(world.proxy.settler().pending() == 1);
  world.proxy.store.lose_answers = false;
  world.loop.Advance(seconds(1));
  CHECK(world.state.records.empty());
  CHECK(world.proxy.settler().pending() == 0);
}

TEST_CASE("a claim that nobody executes is withdrawn however long the store is away") {
  World world;
  world.proxy.store.hold_answers = true;
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(world.state.records.size() == 1);  // the claim is made and its answer never comes
  world.proxy.store.hold_answers = false;
  world.proxy.store.away = true;
  world.loop.Advance(std::chrono::minutes(10));  // longer than any lease
  CHECK(sent->head.status == 503);
  world.proxy.store.away = false;
  world.loop.Advance(seconds(2));
  CHECK(world.state.records.empty());  // so that no later request finds an unknown outcome
}

TEST_CASE("under a value that is no record nothing is claimed, and nothing is left to withdraw") {
  World world;
  world.proxy.store.foreign_value = true;
  auto sent = world.proxy.Post("k-1");
  world.loop.Advance(seconds(2));
  CHECK(sent->head.status == 503);
  CHECK(world.proxy.upstream->calls.empty());
  CHECK(world.proxy.settler().pending() == 0);
}

TEST_CASE(
    "a begin that is not answered in time is answered 503 and does not execute when it comes") {
  World world;
  world.proxy.store.hold_answers = true;
  auto sent = world.proxy.Post("k-1");
  world.loop.Advance(milliseconds(501));
  CHECK(sent->head.status == 503);
  CHECK(world.state.withdrawn.size() == 1);  // so that a late begin changes nothing
  world.proxy.store.Deliver();
  world.loop.Settle();
  CHECK(world.proxy.upstream->calls.empty());
  CHECK(world.state.records.empty());
}

TEST_CASE("a store that fails at the record: the true response, marked, and the record follows") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  world.proxy.store.away = true;
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Advance(milliseconds(1900));
  CHECK(first->heads == 0);
  world.loop.Advance(milliseconds(200));
  CHECK(first->head.status == 201);
  CHECK(first->body == "made");
  CHECK(first->Field("Idempotency-Status") == "unrecorded");
  CHECK(world.proxy.unrecorded.bytes.load() == 4);
  world.proxy.store.away = false;
  world.loop.Advance(seconds(3));
  CHECK(world.proxy.unrecorded.bytes.load() == 0);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->body == "made");
}

TEST_CASE("a completion that was carried out but not answered is asked again and changes nothing") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  world.proxy.store.lose_answers = true;
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Advance(milliseconds(100));
  world.proxy.store.lose_answers = false;
  world.loop.Advance(milliseconds(200));
  CHECK(first->body == "made");
  CHECK(first->Field("Idempotency-Status") == "(absent)");
}

TEST_CASE("beyond max_unrecorded new claims are refused") {
  World world;
  world.proxy.unrecorded.bytes = 64 * 1024 * 1024;
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(sent->head.status == 503);
  CHECK(world.proxy.store.begins == 0);
}

TEST_CASE("a queue that ate the lease: released and 503 before the first byte") {
  World world;
  world.proxy.upstream->ready_at_once = false;
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  world.loop.Advance(seconds(20));  // 45 s of lease minus 32 s of remaining waits
  world.proxy.upstream->Ready(world.call(0));
  world.loop.Settle();
  CHECK(world.call(0).abandoned);
  CHECK(sent->head.status == 503);
  CHECK(world.state.records.empty());
}

TEST_CASE("a response too large to keep streams after its record, and a duplicate is told") {
  auto policy = Legacy();
  policy.max_recorded_body = 8;
  World world(policy);
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto& call = world.call(0);
  FakeUpstream::AnswerHead(call, 201, {http::BodyLength::Kind::kChunked, 0});
  call.events->OnUpstreamBody("0123456789");
  CHECK(call.paused);
  CHECK(first->heads == 0);
  world.loop.Settle();
  CHECK(first->heads == 1);
  CHECK_FALSE(call.paused);
  call.events->OnUpstreamBody("abc");
  call.events->OnUpstreamEnd();
  world.loop.Settle();
  CHECK(first->body == "0123456789abc");
  CHECK(first->ended);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->head.status == 409);
  CHECK(again->body.find("\"executed_status\":201") != std::string::npos);
}

TEST_CASE("a completion refused because another token took over gets that one's answer") {
  World world(Idempotent());
  auto slow = world.proxy.Post("k-1");
  world.loop.Settle();
  world.loop.Advance(seconds(46));
  auto taker = world.proxy.Post("k-1");
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->calls.size() == 2);
  FakeUpstream::Answer(world.call(0), 201, "mine");
  world.loop.Settle();
  CHECK(slow->heads == 0);  // it waits like a duplicate
  FakeUpstream::Answer(world.call(1), 201, "theirs");
  world.loop.Settle();
  CHECK(taker->body == "theirs");
  CHECK(slow->body == "theirs");
  CHECK(slow->Field("Idempotent-Replayed") == "true");
}

TEST_CASE("a request without a key: 400 where the route requires one, else it passes") {
  World world;
  auto refused = world.proxy.Post("");
  world.loop.Settle();
  CHECK(refused->head.status == 400);
  CHECK(refused->body.find("key-missing") != std::string::npos);
  CHECK(refused->body.find("in the field Idempotency-Key\"") != std::string::npos);
  auto policy = Legacy();
  policy.required = false;
  world.proxy.Serve(policy);
  auto passed = world.proxy.Post("");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 200, "ok");
  world.loop.Settle();
  CHECK(passed->body == "ok");
  CHECK(world.state.records.empty());
  CHECK(world.proxy.reports.back().verdict == RequestDecision::kPassed);
}

TEST_CASE("the rate limit refuses with its fields, and leaves no claim") {
  World world;
  world.proxy.Serve(Legacy(), [](exchange::Route& route, exchange::SiteSnapshot&) {
    route.rate_limit.emplace();
    route.rate_limit->rule = {.requests = 10, .per = std::chrono::minutes(1)};
  });
  auto good = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  CHECK(good->Field("X-RateLimit-Limit") == "10");
  CHECK(good->Field("X-RateLimit-Remaining") == "9");
  CHECK(good->Field("RateLimit-Policy") == "\"default\";q=10;w=60");
  CHECK(good->Field("RateLimit") == "\"default\";r=9;t=60");
  world.proxy.store.limit_verdict = {false, 0, milliseconds(1500)};
  auto refused = world.proxy.Post("k-2");
  world.loop.Settle();
  CHECK(refused->head.status == 429);
  CHECK(refused->Field("Retry-After") == "2");
  CHECK(world.state.records.size() == 1);
  auto invalid = world.proxy.Post("a,b");  // the limit comes before the key
  world.loop.Settle();
  CHECK(invalid->head.status == 429);
}

TEST_CASE("a body larger than the route takes is refused by its length and by its bytes") {
  World world;
  world.proxy.Serve(Legacy(),
                    [](exchange::Route& route, exchange::SiteSnapshot&) { route.max_body = 4; });
  auto declared = world.proxy.Post("k-1", "12345");
  world.loop.Settle();
  CHECK(declared->head.status == 413);
  CHECK(declared->closes);
}

namespace {

// Sends the head of a request with a body of `bytes` on a route without a key.
VirtualProxy::Sent Upload(World& world, std::uint64_t bytes) {
  world.proxy.Serve(Legacy(), [](exchange::Route& route, exchange::SiteSnapshot&) {
    route.idempotency.reset();
    route.max_body = 1024 * 1024;
  });
  auto sent = world.proxy.Head("", bytes);
  CHECK(sent->body_wanted == (bytes > 0));
  return sent;
}

}  // namespace

TEST_CASE("a small body of a streamed request is read whole before the upstream is asked") {
  World world;
  auto sent = Upload(world, 5);
  sent.handler->OnBody("hel");
  world.loop.Settle();
  CHECK(world.proxy.upstream->calls.empty());
  sent.handler->OnBody("lo");
  sent.handler->OnBodyEnd();
  world.loop.Settle();
  CHECK(world.call(0).body == "hello");
  FakeUpstream::Answer(world.call(0), 200, "ok");
  world.loop.Settle();
  CHECK(sent->body == "ok");
}

TEST_CASE("a large body is streamed, also after the upstream has begun to answer") {
  World world;
  auto sent = Upload(world, 100'000);
  sent.handler->OnBody(std::string(70'000, 'a'));
  CHECK_FALSE(sent->body_wanted);
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->begun() == 1);
  CHECK(sent->body_wanted);
  auto& call = world.call(0);
  FakeUpstream::AnswerHead(call, 200, {http::BodyLength::Kind::kChunked, 0});
  sent.handler->OnBody(std::string(30'000, 'b'));
  sent.handler->OnBodyEnd();
  CHECK(call.body == std::string(70'000, 'a') + std::string(30'000, 'b'));
  CHECK(call.body_ended);
  call.events->OnUpstreamEnd();
  world.loop.Settle();
  CHECK(sent->ended);
}

TEST_CASE("a streamed body that grows too large or is malformed is cut upstream") {
  World world;
  auto sent = Upload(world, 100'000);
  sent.handler->OnBody(std::string(70'000, 'a'));
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->begun() == 1);
  sent.handler->OnBodyError({400, "bad-request", "a chunk"});
  world.loop.Settle();
  CHECK(world.call(0).dropped);
  CHECK_FALSE(world.call(0).body_ended);
  CHECK(sent->head.status == 400);
  CHECK(sent->closes);
}

TEST_CASE("a streamed response pauses for a slow reader and is cut when the upstream is") {
  World world;
  auto sent = Upload(world, 0);
  world.loop.Settle();
  auto& call = world.call(0);
  FakeUpstream::AnswerHead(call, 200, {http::BodyLength::Kind::kChunked, 0});
  sent->unsent = 100'000;
  call.events->OnUpstreamBody("part");
  CHECK(call.paused);
  sent->unsent = 0;
  sent.handler->OnDrained();
  CHECK_FALSE(call.paused);
  FakeUpstream::Fail(call, UpstreamProblem::kReset, Delivery::kMaybeSent);
  world.loop.Settle();
  CHECK(sent->body == "part");
  CHECK(sent->aborted);
}

TEST_CASE("statuses by which a backend says that it did not act free the key") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 429, "later");
  world.loop.Settle();
  CHECK(first->head.status == 429);
  CHECK(world.state.records.empty());
}

TEST_CASE("while it drains a proxy takes no new request") {
  World world;
  world.proxy.registry().Drain();
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(sent->head.status == 503);
  CHECK(sent->body.find("draining") != std::string::npos);
  CHECK(sent->closes);
}

}  // namespace idem::simulation

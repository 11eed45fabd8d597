// `mode: observe`: every request is forwarded, none waits for a key, and the report names the
// decision that enforcing would have made.
#include <doctest/doctest.h>

#include "tests/simulation/world.h"

namespace idem::simulation {

namespace {

using exchange::RequestDecision;
using ports::UpstreamProblem;
using std::chrono::milliseconds;
using std::chrono::seconds;

idempotency::Policy Observing(bool upstream_idempotent = false) {
  auto policy = upstream_idempotent ? Idempotent() : Legacy();
  policy.mode = idempotency::Mode::kObserve;
  return policy;
}

struct Watched : World {
  explicit Watched(const idempotency::Policy& policy = Observing()) : World(policy) {}
  // Sends one request, which the backend answers with `status`. Returns the decision that enforcing
  // would have made.
  std::string Would(std::string_view key, std::uint16_t status = 201,
                    std::string_view body = "{\"a\":1}") {
    const std::size_t others = proxy.registry().live();
    auto sent = proxy.Post(key, body);
    loop.Settle();
    FakeUpstream::Answer(*proxy.upstream->calls.back(), status, "made");
    loop.Settle();
    CHECK(sent->head.status == status);
    CHECK(sent->body == "made");
    CHECK(sent->Field("Idempotent-Replayed") == "(absent)");
    CHECK(proxy.reports.back().verdict == RequestDecision::kPassed);
    CHECK(proxy.registry().live() == others);
    return proxy.reports.back().would;
  }
};

}  // namespace

TEST_CASE("every request is forwarded as it came, and told what a key would have made of it") {
  Watched world;
  CHECK(world.Would("k-1") == "executed");
  CHECK(world.Would("k-1") == "replayed");
  CHECK(world.Would("\"k-1\"") == "replayed");
  CHECK(world.Would("k-1", 201, "{\"a\":2}") == "mismatch");
  CHECK(world.Would("") == "key_missing");
  CHECK(world.Would("a,b") == "key_invalid");
  CHECK(world.Would("k-2", 429) == "executed");  // the backend did not act
  CHECK(world.Would("k-2") == "executed");
  CHECK(world.Would("k-3", 503) == "executed");
  CHECK(world.Would("k-3") == "unknown");
  CHECK(world.proxy.upstream->begun() == 10);
  CHECK(world.call(2).head.fields.Find("Idempotency-Key") == "\"k-1\"");  // as it came
  CHECK(world.call(0).head.fields.Count("Accept-Encoding") == 0);
  CHECK_FALSE(world.call(0).terms.claim);
  CHECK(world.call(0).terms.streamed);
  for (const auto& [key, record] : world.state.records) {
    CHECK(key.starts_with("observe;"));
    CHECK((!record.response || record.response->body.empty()));
  }
}

TEST_CASE("an observed key means nothing to a route that enforces") {
  Watched world;
  CHECK(world.Would("k-1") == "executed");
  world.proxy.Serve(Legacy());
  auto enforced = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(world.proxy.upstream->begun() == 1);  // a new upstream and its first call
  FakeUpstream::Answer(*world.proxy.upstream->calls.back(), 201, "made");
  world.loop.Settle();
  CHECK(enforced->Field("Idempotent-Replayed") == "(absent)");
  CHECK(world.proxy.reports.back().verdict == RequestDecision::kExecuted);
}

TEST_CASE("a request that would have waited does not") {
  Watched world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(world.Would("k-1") == "in_progress");
  FakeUpstream::Answer(world.call(0), 201, "first");
  world.loop.Settle();
  CHECK(first->body == "first");
  CHECK(world.proxy.reports.back().would == "executed");
  CHECK(world.Would("k-1") == "replayed");
}

TEST_CASE("the caller has its answer before anything is known about its key") {
  Watched world;
  world.proxy.store.hold_answers = true;
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  CHECK(sent->body == "made");
  CHECK(sent->ended);
  CHECK(world.proxy.reports.empty());
  world.proxy.store.Deliver();
  world.loop.Settle();
  REQUIRE(world.proxy.reports.size() == 1);
  CHECK(world.proxy.reports.back().would == "executed");
  CHECK(world.Would("k-1") == "replayed");
}

TEST_CASE("a store that fails, or does not answer, costs nobody anything") {
  Watched world;
  world.proxy.store.away = true;
  CHECK(world.Would("k-1") == "store_failed");
  world.proxy.store.away = false;

  world.proxy.store.hold_answers = true;
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(1), 201, "made");
  CHECK(sent->ended);
  world.loop.Advance(milliseconds(1'001));  // the begin, then its withdrawal
  CHECK(world.proxy.reports.back().would == "store_failed");
  CHECK(world.proxy.registry().live() == 0);
  CHECK(world.proxy.settler().pending() == 0);
  CHECK(world.state.records.empty());
  world.proxy.store.Deliver();
  world.loop.Settle();
  CHECK(world.Would("k-1") == "executed");
}

TEST_CASE("what was forwarded and not answered is an unknown outcome, here as well") {
  Watched world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kTimeout, Delivery::kMaybeSent);
  world.loop.Settle();
  CHECK(first->head.status == 504);
  CHECK(first->body.find("\"settle\"") != std::string::npos);  // nothing protects it
  CHECK(first->Field("Idempotency-Status") == "unprotected");
  CHECK(world.Would("k-1") == "unknown");

  auto refused = world.proxy.Post("k-2");
  world.loop.Settle();
  FakeUpstream::Fail(*world.proxy.upstream->calls.back(), UpstreamProblem::kUnreachable,
                     Delivery::kNotSent);
  world.loop.Settle();
  CHECK(world.Would("k-2") == "executed");

  auto leaver = world.proxy.Post("k-3");
  world.loop.Settle();
  leaver.handler->OnClientGone();
  world.loop.Settle();
  CHECK(world.proxy.upstream->calls.back()->dropped);  // like a request without a key
  CHECK(world.Would("k-3") == "unknown");
}

TEST_CASE("an outcome that an idempotent backend lost would be executed again") {
  Watched world(Observing(true));
  CHECK(world.Would("k-1", 503) == "executed");
  CHECK(world.Would("k-1") == "executed");
  CHECK(world.Would("k-1") == "replayed");
  auto lost = world.proxy.Post("k-2");
  world.loop.Settle();
  world.state.records.rbegin()->second.state = idempotency::RecordState::kUnknown;
  CHECK(world.Would("k-2") == "executed");
}

TEST_CASE("a body too large to be fingerprinted streams, and its key is not judged") {
  World world(Observing());
  world.proxy.Serve(Observing(), [](exchange::Route& route, exchange::SiteSnapshot&) {
    route.max_body = 1ULL << 40;
  });
  const std::uint64_t held = exchange::RequestBody::kHeldMax;
  auto sent = world.proxy.Head("k-1", held + 1);
  const std::string piece(1024 * 1024, 'a');
  for (std::uint64_t bytes = 0; bytes < held; bytes += piece.size()) sent.handler->OnBody(piece);
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->begun() == 1);
  sent.handler->OnBody("b");
  sent.handler->OnBodyEnd();
  CHECK(world.call(0).body.size() == held + 1);
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Settle();
  CHECK(sent->body == "made");
  CHECK(world.proxy.reports.back().would == "too_large");
  CHECK(world.state.records.empty());
}

TEST_CASE("the rate limit and a method without keys are what they were") {
  World world(Observing());
  exchange::RateLimitOptions limit;
  limit.rule = {.requests = 10, .per = std::chrono::minutes(1)};
  world.Limit(limit, Observing());
  world.proxy.store.limit_verdict = {false, 0, milliseconds(1'500)};
  auto refused = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(refused->head.status == 429);
  CHECK(world.proxy.reports.back().would.empty());
  CHECK(world.proxy.upstream->calls.empty());
  world.proxy.store.limit_verdict = {true, 9, seconds(60)};
  auto got = world.proxy.Post("k-1", "", {}, "GET");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 200, "ok");
  world.loop.Settle();
  CHECK(got->Field("X-RateLimit-Remaining") == "9");
  CHECK(world.proxy.reports.back().would.empty());
  CHECK(world.state.records.empty());
}

TEST_CASE("a proxy that ends while an observation is under way leaves nothing behind") {
  FakeStoreState state;
  VirtualLoop loop;
  {
    VirtualProxy proxy(loop, state);
    proxy.Serve(Observing());
    auto sent = proxy.Post("k-1");
    loop.Settle();
    proxy.store.hold_answers = true;
    FakeUpstream::Answer(*proxy.upstream->calls.back(), 201, "made");
    CHECK(sent->ended);
    CHECK(proxy.registry().live() == 1);
    proxy.store.Deliver();
  }
  CHECK(state.records.size() == 1);
}

}  // namespace idem::simulation

// An effect was made under a claim while another token holds the key. It is never made again, and
// its caller gets the record of the store.
#include <doctest/doctest.h>

#include "tests/simulation/world.h"

namespace idem::simulation {

namespace {

using ports::UpstreamProblem;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Two claims on one key. The first made its effect; the second took over after its lease and
// executes. The first waits for the second.
struct Overtaken : World {
  Overtaken() : World(Idempotent()) {
    slow = proxy.Post("k-1");
    loop.Settle();
    loop.Advance(seconds(46));
    taker = proxy.Post("k-1");
    loop.Settle();
    REQUIRE(proxy.upstream->begun() == 2);
    FakeUpstream::Answer(call(0), 201, "mine");
    loop.Settle();
    CHECK(slow->heads == 0);
  }
  VirtualProxy::Sent slow;
  VirtualProxy::Sent taker;
};

}  // namespace

TEST_CASE("an effect whose overtaker gave up is recorded, and not made again") {
  Overtaken world;
  FakeUpstream::Fail(world.call(1), UpstreamProblem::kUnreachable, Delivery::kNotSent);
  world.loop.Advance(seconds(1));
  CHECK(world.taker->head.status == 502);
  CHECK(world.slow->body == "mine");
  CHECK(world.slow->Field("Idempotent-Replayed") == "(absent)");
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->body == "mine");
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE("an effect whose overtaker is lost too is told as unknown, and not made again") {
  Overtaken world;
  world.state.records.begin()->second.state = idempotency::RecordState::kUnknown;
  world.loop.Advance(seconds(1));
  CHECK(world.slow->body.find("outcome-unknown") != std::string::npos);
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE("an effect whose caller left while its overtaker executed is not lost with it") {
  Overtaken world;
  world.slow.handler->OnClientGone();
  world.loop.Settle();
  FakeUpstream::Fail(world.call(1), UpstreamProblem::kUnreachable, Delivery::kNotSent);
  world.loop.Advance(seconds(1));
  CHECK(world.taker->head.status == 502);
  CHECK(world.proxy.registry().live() == 0);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->body == "mine");
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE("an effect whose caller left waits for its overtaker no longer than a caller does") {
  Overtaken world;
  world.slow.handler->OnClientGone();
  world.loop.Advance(seconds(31));
  CHECK(world.proxy.registry().live() == 1);  // the overtaker
  CHECK(world.proxy.waiters.count() == 0);
}

TEST_CASE("a possible duplicate is counted once, however often its outcome is offered") {
  World world;
  auto slow = world.proxy.Post("k-1");
  world.loop.Settle();
  world.state.records.clear();  // the store forgot the claim
  auto other = world.proxy.Post("k-1");
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->begun() == 2);
  FakeUpstream::Answer(world.call(0), 201, "mine");
  world.loop.Advance(seconds(5));
  CHECK(world.proxy.store.completions > 2);
  const std::string metrics = world.proxy.metrics.Render();
  CHECK(metrics.find("duplicate_effect_possible_total 1\n") != std::string::npos);
  FakeUpstream::Answer(world.call(1), 201, "other's");
  world.loop.Advance(seconds(1));
  CHECK(slow->body == "other's");
}

TEST_CASE("a released claim wakes one waiter of many, who asks for all") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  std::vector<VirtualProxy::Sent> waiters;
  for (int i = 0; i < 8; ++i) waiters.push_back(world.proxy.Post("k-1"));
  world.loop.Settle();
  const int begins = world.proxy.store.begins;
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kUnreachable, Delivery::kNotSent);
  world.loop.Settle();
  CHECK(world.proxy.upstream->begun() == 2);
  CHECK(world.proxy.store.begins <= begins + 2);  // the one that executes, and its successor
  FakeUpstream::Answer(world.call(1), 201, "made");
  world.loop.Settle();
  for (const auto& waiter : waiters) CHECK(waiter->body == "made");
}

TEST_CASE("one waiter of many asks the store again, the others are woken") {
  World world;
  VirtualProxy other(world.loop, world.state, 2);
  other.Serve(Legacy());
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  std::vector<VirtualProxy::Sent> waiters;
  for (int i = 0; i < 8; ++i) waiters.push_back(other.Post("k-1"));
  world.loop.Settle();
  world.loop.Advance(milliseconds(900));
  CHECK(other.store.begins <= 8 + 8);  // after 25, 50, 100, 200 and then every 250 ms
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Advance(milliseconds(300));
  for (const auto& waiter : waiters) CHECK(waiter->body == "made");
}

}  // namespace idem::simulation

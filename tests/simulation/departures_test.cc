// Clients that leave, and answers that come after that, in each phase.
#include <doctest/doctest.h>

#include "tests/simulation/world.h"

namespace idem::simulation {

namespace {

using ports::UpstreamProblem;
using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

TEST_CASE("what the upstream says in the turn in which its client left is heard by nobody") {
  struct Row {
    const char* when;
    bool head_sent;
    void (*say)(FakeUpstream::Call&);
  };
  const Row rows[] = {
      {"the head", false,
       [](FakeUpstream::Call& call) {
         FakeUpstream::AnswerHead(call, 200, http::BodyLength::Known(4));
       }},
      {"a failure before the head", false,
       [](FakeUpstream::Call& call) {
         FakeUpstream::Fail(call, UpstreamProblem::kReset, Delivery::kMaybeSent);
       }},
      {"the body", true,
       [](FakeUpstream::Call& call) {
         if (!call.dropped) call.events->OnUpstreamBody("made");
       }},
      {"the end", true,
       [](FakeUpstream::Call& call) {
         if (!call.dropped) call.events->OnUpstreamEnd();
       }},
      {"a failure in the body", true,
       [](FakeUpstream::Call& call) {
         FakeUpstream::Fail(call, UpstreamProblem::kReset, Delivery::kMaybeSent);
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.when);
    World world;
    world.Stream();
    auto sent = world.proxy.Post("", "");
    world.loop.Settle();
    REQUIRE(world.proxy.upstream->begun() == 1);
    if (row.head_sent) FakeUpstream::AnswerHead(world.call(0), 200, http::BodyLength::Known(4));
    sent.handler->OnClientGone();
    row.say(world.call(0));
    world.loop.Settle();
    CHECK(world.call(0).dropped);
    CHECK(world.proxy.reports.size() == 1);
    CHECK(world.proxy.registry().live() == 0);
  }
}

TEST_CASE("a connection that becomes ready when the client of a streamed request has left") {
  World world;
  world.Stream();
  world.proxy.upstream->ready_at_once = false;
  auto sent = world.proxy.Post("", "");
  world.loop.Settle();
  REQUIRE(world.proxy.upstream->calls.size() == 1);
  sent.handler->OnClientGone();
  world.proxy.upstream->Ready(world.call(0));
  world.loop.Settle();
  CHECK(world.proxy.upstream->begun() == 0);
  CHECK(world.proxy.reports.size() == 1);
}

TEST_CASE("a client that leaves while its outcome is recorded does not lose it") {
  World world;
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::Answer(world.call(0), 201, "made");
  first.handler->OnClientGone();
  world.loop.Settle();
  CHECK(first->heads == 0);
  CHECK(world.proxy.registry().live() == 0);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->body == "made");
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("a waiter whose client leaves passes the first place on") {
  World world;
  VirtualProxy other(world.loop, world.state, 2);
  other.Serve(Legacy());
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto leaver = other.Post("k-1");
  auto stayer = other.Post("k-1");
  world.loop.Settle();
  leaver.handler->OnClientGone();
  FakeUpstream::Answer(world.call(0), 201, "made");
  world.loop.Advance(milliseconds(300));
  CHECK(stayer->body == "made");
  CHECK(other.waiters.count() == 0);
}

TEST_CASE("a client that leaves after its response began streaming leaves the record") {
  auto policy = Legacy();
  policy.max_recorded_body = 8;
  World world(policy);
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::AnswerHead(world.call(0), 201, http::BodyLength::Known(100));
  world.loop.Settle();
  CHECK(first->heads == 1);
  first.handler->OnClientGone();
  world.loop.Settle();
  CHECK(world.call(0).dropped);
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->body.find("response-not-kept") != std::string::npos);
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("a large response that is cut while its record is written is cut for the caller too") {
  auto policy = Legacy();
  policy.max_recorded_body = 8;
  World world(policy);
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  FakeUpstream::AnswerHead(world.call(0), 201, http::BodyLength::Known(100));
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kReset, Delivery::kMaybeSent);
  world.loop.Settle();
  CHECK(first->head.status == 201);
  CHECK(first->aborted);
  CHECK_FALSE(first->ended);
}

TEST_CASE("a wait that runs out while the store is asked is told 503, and leaves no claim") {
  World world;
  VirtualProxy other(world.loop, world.state, 2);
  other.Serve(Legacy());
  auto first = world.proxy.Post("k-1");
  world.loop.Settle();
  auto duplicate = other.Post("k-1");
  world.loop.Advance(milliseconds(29'800));
  CHECK(duplicate->heads == 0);
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kUnreachable, Delivery::kNotSent);
  world.loop.Settle();
  other.store.hold_answers = true;  // the last read of the key claims it and is not answered
  world.loop.Advance(milliseconds(250));
  CHECK(duplicate->head.status == 503);
  CHECK(duplicate->body.find("in-progress") != std::string::npos);
  CHECK(duplicate->Field("Retry-After") == "1");
  other.store.Deliver();
  world.loop.Advance(seconds(1));
  CHECK(world.state.records.empty());
  CHECK(other.upstream->calls.empty());
  CHECK(other.settler().pending() == 0);
}

TEST_CASE("what outlives the grace of a drain is reported, and its claim becomes unknown") {
  World world;
  {
    VirtualProxy leaving(world.loop, world.state, 2);
    leaving.Serve(Legacy());
    auto executing = leaving.Post("k-1");
    auto waiting = leaving.Post("k-1");
    auto other = leaving.Post("k-2");
    world.loop.Settle();
    FakeUpstream::Answer(*leaving.upstream->calls.back(), 201, "made");
    world.loop.Settle();
    REQUIRE(leaving.reports.size() == 1);
    leaving.registry().Drain();
    executing.handler->OnClientGone();
    waiting.handler->OnClientGone();
    CHECK(leaving.registry().live() == 1);
    leaving.registry().Cut();
    CHECK(leaving.registry().live() == 0);
    REQUIRE(leaving.reports.size() == 3);
    CHECK(leaving.reports.back().verdict == exchange::RequestDecision::kUnknown);
    CHECK(leaving.reports.back().status == 0);
    CHECK(leaving.metrics.claims_cut.value() == 1);
    CHECK(leaving.metrics.claims_executing.value() == 0);
  }
  world.loop.Advance(seconds(46));
  auto again = world.proxy.Post("k-1");
  world.loop.Settle();
  CHECK(again->body.find("outcome-unknown") != std::string::npos);
  CHECK(world.proxy.upstream->calls.empty());
}

}  // namespace idem::simulation

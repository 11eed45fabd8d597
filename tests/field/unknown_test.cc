// What is not known is unknown: answers that the backend may not have given, or not whole.
#include <doctest/doctest.h>

#include <string>

#include "tests/simulation/world.h"

namespace idem::field {

namespace {

using simulation::FakeUpstream;
using simulation::Idempotent;
using simulation::Legacy;
using simulation::VirtualProxy;
using simulation::World;
using Sent = VirtualProxy::Sent;

constexpr std::uint16_t kOfHops[] = {460, 499, 520, 521, 522, 523, 524,
                                     525, 526, 527, 530, 561, 598, 599};

Sent Ask(World& world) {
  auto sent = world.proxy.Post("k-1");
  world.loop.Settle();
  return sent;
}

// The answer has neither a length nor chunks, and ends with its connection.
void AnswerUntilClose(World& world, FakeUpstream::Call& call, std::string_view body) {
  http::ResponseHead head;
  head.status = 201;
  head.body.kind = http::BodyLength::Kind::kUntilClose;
  call.events->OnUpstreamHead(head);
  call.events->OnUpstreamBody(body);
  call.events->OnUpstreamEnd();
  world.loop.Settle();
}

}  // namespace

TEST_CASE("a status that only a hop makes is unknown on a legacy backend, and never replayed") {
  for (const std::uint16_t status : kOfHops) {
    CAPTURE(status);
    World world;
    auto first = Ask(world);
    FakeUpstream::Answer(world.call(0), status, "a hop's page");
    world.loop.Settle();
    CHECK(first->head.status == status);
    auto again = Ask(world);
    CHECK(again->head.status == 504);
    CHECK(again->body.find("outcome-unknown") != std::string::npos);
    CHECK(world.proxy.upstream->calls.size() == 1);
  }
}

TEST_CASE("a status that only a hop makes frees the key of an idempotent backend") {
  for (const std::uint16_t status : kOfHops) {
    CAPTURE(status);
    World world(Idempotent());
    auto first = Ask(world);
    FakeUpstream::Answer(world.call(0), status, "a hop's page");
    world.loop.Settle();
    CHECK(first->head.status == status);
    auto again = Ask(world);
    CHECK(world.proxy.upstream->calls.size() == 2);
  }
}

TEST_CASE("a status that nobody registered is unknown, unless the owner vouches for it") {
  auto policy = Legacy();
  SUBCASE("Laravel's 419, nobody vouches") {
    World world(policy);
    auto first = Ask(world);
    FakeUpstream::Answer(world.call(0), 419, "expired");
    world.loop.Settle();
    CHECK(Ask(world)->head.status == 504);
  }
  SUBCASE("responses.record: [419]") {
    policy.overrides = {{419, 419, idempotency::ClaimEnding::kRecord}};
    World world(policy);
    auto first = Ask(world);
    FakeUpstream::Answer(world.call(0), 419, "expired");
    world.loop.Settle();
    CHECK(Ask(world)->Field("Idempotent-Replayed") == "true");
  }
}

TEST_CASE("half a body that ended with its connection is never recorded") {
  World world;
  auto first = Ask(world);
  AnswerUntilClose(world, world.call(0), "{\"order\":\"o-1\",\"amount\":10");
  CHECK(first->head.status == 502);
  CHECK(first->body.find("upstream-reset") != std::string::npos);
  CHECK(first->body.find("\"retry\":\"settle\"") != std::string::npos);
  auto again = Ask(world);
  CHECK(again->head.status == 504);
  CHECK(again->body.find("o-1") == std::string::npos);
  CHECK(world.proxy.upstream->calls.size() == 1);
}

TEST_CASE("a body that ended with its connection frees the key of an idempotent backend") {
  World world(Idempotent());
  auto first = Ask(world);
  AnswerUntilClose(world, world.call(0), "made");
  CHECK(first->head.status == 502);
  CHECK(first->body.find("\"retry\":\"same-key\"") != std::string::npos);
  auto again = Ask(world);
  CHECK(world.proxy.upstream->calls.size() == 2);
}

TEST_CASE("a body that ended with its connection is passed on where no record is made of it") {
  World world;
  world.Stream();
  auto first = Ask(world);
  AnswerUntilClose(world, world.call(0), "made");
  CHECK(first->head.status == 201);
  CHECK(first->body == "made");
}

TEST_CASE("a body that ended with its connection would be unknown, says observe") {
  auto policy = Legacy();
  policy.mode = idempotency::Mode::kObserve;
  World world(policy);
  auto first = Ask(world);
  AnswerUntilClose(world, world.call(0), "made");
  CHECK(first->body == "made");
  auto again = Ask(world);
  AnswerUntilClose(world, *world.proxy.upstream->calls.back(), "made");
  CHECK(world.proxy.reports.back().would == "unknown");
}

}  // namespace idem::field

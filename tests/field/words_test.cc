// Words that make a caller pay twice: what real clients change on a retry, and what they are told.
#include <doctest/doctest.h>

#include "tests/simulation/world.h"

namespace idem::field {

namespace {

using ports::UpstreamProblem;
using simulation::FakeUpstream;
using simulation::Legacy;
using simulation::VirtualProxy;
using simulation::World;
using Sent = VirtualProxy::Sent;
using Fields = std::initializer_list<http::FieldLine>;

constexpr http::FieldLine kJson{"Content-Type", "application/json"};

bool Holds(const Sent& sent, std::string_view text) {
  return sent->body.find(text) != std::string::npos;
}

// The answer to the first request with key k-1.
enum class First { kExecuting, kLost, kMade, kSeeOther, kRefused, kFailed };

struct Mismatch {
  explicit Mismatch(First first) {
    before = world.proxy.Post("k-1", "{}", {kJson}, "POST", "/orders?a=1");
    world.loop.Settle();
    if (first == First::kMade) FakeUpstream::Answer(world.call(0), 201, "made");
    if (first == First::kSeeOther) FakeUpstream::Answer(world.call(0), 303, "");
    if (first == First::kRefused) FakeUpstream::Answer(world.call(0), 422, "no");
    if (first == First::kFailed) FakeUpstream::Answer(world.call(0), 500, "oh");
    if (first == First::kLost) {
      FakeUpstream::Fail(world.call(0), UpstreamProblem::kReset, Delivery::kMaybeSent);
    }
    world.loop.Settle();
  }
  Sent Retry(std::string_view body, Fields fields, std::string_view target = "/orders?a=1") {
    auto sent = world.proxy.Post("k-1", body, fields, "POST", target);
    world.loop.Settle();
    CHECK(sent->head.status == 409);
    CHECK(Holds(sent, "payload-mismatch"));
    CHECK(Holds(sent, "If this was meant as a retry, send the bytes of the first."));
    CHECK_FALSE(Holds(sent, "new-key"));
    CHECK(world.proxy.upstream->calls.size() == 1);
    return sent;
  }
  World world;
  Sent before;
};

// A route that keeps no record: its requests stream.
World& Plain(World& world) {
  world.Stream();
  return world;
}

Sent FailAfterFirstByte(World& world, std::string_view key, std::string_view method,
                        UpstreamProblem problem = UpstreamProblem::kReset) {
  auto sent = world.proxy.Post(key, "{}", {}, method);
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), problem, Delivery::kMaybeSent);
  world.loop.Settle();
  return sent;
}

void CheckUnprotected(const Sent& sent) {
  CHECK(Holds(sent, "\"retry\":\"settle\""));
  CHECK(sent->Field("Idempotency-Status") == "unprotected");
}

void CheckSameKey(const Sent& sent) {
  CHECK(Holds(sent, "\"retry\":\"same-key\""));
  CHECK(sent->Field("Idempotency-Status") == "(absent)");
}

}  // namespace

TEST_CASE("a retry that adds charset=utf-8 is never sent to a new key") {
  struct Row {
    First first;
    const char* retry;
    const char* state;
  };
  const Row rows[] = {
      {First::kExecuting, "\"settle\"", "\"first_state\":\"executing\""},
      {First::kLost, "\"settle\"", "\"first_state\":\"unknown\""},
      {First::kMade, "\"never\"", "\"first_state\":\"completed\",\"first_status\":201"},
      {First::kSeeOther, "\"never\"", "\"first_status\":303"},
      {First::kRefused, "\"correct\"", "\"first_status\":422"},
      {First::kFailed, "\"settle\"", "\"first_status\":500"}};
  for (const Row& row : rows) {
    CAPTURE(row.state);
    Mismatch at(row.first);
    const auto sent = at.Retry("{}", {{"Content-Type", "application/json; charset=utf-8"}});
    CHECK(Holds(sent, std::string("\"retry\":") + row.retry));
    CHECK(Holds(sent, row.state));
    CHECK(Holds(sent, "\"mismatch_in\":\"content-type\""));
    CHECK(at.world.proxy.reports.back().mismatch_in == "content-type");
  }
}

TEST_CASE("a retry that became a form names the body and the field") {
  Mismatch at(First::kMade);
  const auto sent = at.Retry("--b2", {{"Content-Type", "multipart/form-data; boundary=b2"}});
  CHECK(Holds(sent, "\"mismatch_in\":\"body,content-type\""));
}

TEST_CASE("a retry with a blank more names the body, one with another query names that") {
  CHECK(Holds(Mismatch(First::kMade).Retry("{ }", {kJson}), "\"mismatch_in\":\"body\""));
  CHECK(Holds(Mismatch(First::kMade).Retry("{}", {kJson}, "/orders?a=2"),
              "\"mismatch_in\":\"query\""));
}

TEST_CASE("a record of the version before names no part, and gives the same advice") {
  Mismatch at(First::kMade);
  at.world.state.records.begin()->second.claim.part_digests.clear();
  const auto sent = at.Retry("{ }", {kJson});
  CHECK(Holds(sent, "\"retry\":\"never\""));
  CHECK_FALSE(Holds(sent, "mismatch_in"));
  auto same = at.world.proxy.Post("k-1", "{}", {kJson}, "POST", "/orders?a=1");
  at.world.loop.Settle();
  CHECK(same->body == "made");
}

TEST_CASE("a request that has to be mended keeps its key") {
  World world;
  CHECK(Holds(world.proxy.Post("", "{}"), "\"retry\":\"correct\""));
  CHECK(Holds(world.proxy.Post("a,b", "{}"), "\"retry\":\"correct\""));
  CHECK(
      Holds(world.proxy.Post("k-1", "{}", {{"Idempotency-Key", "k-1"}}), "\"retry\":\"correct\""));
  CHECK(Holds(world.proxy.Post("k-1", "{}", {{"X-HTTP-Method-Override", "PUT"}}),
              "\"retry\":\"correct\""));
}

TEST_CASE("on a plain route a payment that failed after its first byte has to be settled") {
  for (const UpstreamProblem problem :
       {UpstreamProblem::kReset, UpstreamProblem::kTimeout, UpstreamProblem::kMalformed}) {
    World world;
    CheckUnprotected(FailAfterFirstByte(Plain(world), "k-1", "POST", problem));
  }
  World world;
  CheckUnprotected(FailAfterFirstByte(Plain(world), "", "PATCH"));
}

TEST_CASE("on a plain route a method that may be repeated is sent again") {
  for (const char* method : {"GET", "PUT", "DELETE", "OPTIONS"}) {
    CAPTURE(method);
    World world;
    CheckSameKey(FailAfterFirstByte(Plain(world), "", method));
  }
}

TEST_CASE("on a plain route a payment of which nothing was written is sent again") {
  World world;
  auto sent = Plain(world).proxy.Post("k-1", "{}");
  world.loop.Settle();
  FakeUpstream::Fail(world.call(0), UpstreamProblem::kUnreachable, Delivery::kNotSent);
  world.loop.Settle();
  CheckSameKey(sent);
}

TEST_CASE("without a key that was not required, nothing protects a payment") {
  auto policy = Legacy();
  policy.required = false;
  World without(policy);
  CheckUnprotected(FailAfterFirstByte(without, "", "POST"));
  policy.upstream_idempotent = true;  // by a key, which this request does not have
  World idempotent(policy);
  CheckUnprotected(FailAfterFirstByte(idempotent, "", "POST"));
  World with(policy);
  CheckSameKey(FailAfterFirstByte(with, "k-1", "POST"));
}

TEST_CASE("in observe only a backend that drops duplicates protects a payment") {
  auto policy = Legacy();
  policy.mode = idempotency::Mode::kObserve;
  World legacy(policy);
  CheckUnprotected(FailAfterFirstByte(legacy, "k-1", "POST"));
  policy.upstream_idempotent = true;
  World idempotent(policy);
  CheckSameKey(FailAfterFirstByte(idempotent, "k-1", "POST"));
  World invalid(policy);
  CheckUnprotected(FailAfterFirstByte(invalid, "a,b", "POST"));
}

TEST_CASE("an upload that breaks on a plain route after its first byte has to be settled") {
  World world;
  auto sent = Plain(world).proxy.Head("", 1 << 20);
  REQUIRE(sent->body_wanted);
  const std::string piece(128 * 1024, 'a');
  while (world.proxy.upstream->begun() == 0 && sent->heads == 0) {
    sent.handler->OnBody(piece);
    world.loop.Settle();
  }
  REQUIRE(world.proxy.upstream->begun() == 1);
  sent.handler->OnBodyError({408, "request-timeout", "too slow"});
  CHECK(sent->head.status == 408);
  CheckUnprotected(sent);
}

TEST_CASE("a claim that became unknown is settled, and is not called unprotected") {
  World world;
  const auto sent = FailAfterFirstByte(world, "k-1", "POST");
  CHECK(Holds(sent, "\"retry\":\"settle\""));
  CHECK(sent->Field("Idempotency-Status") == "(absent)");
}

}  // namespace idem::field

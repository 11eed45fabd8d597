// The terms under which a claim is sent.
#include <doctest/doctest.h>

#include "tests/simulation/world.h"

namespace idem::simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("the upstream is told what may be sent on a kept connection, and what sent again") {
  World legacy;
  auto claim = legacy.proxy.Post("k-1");
  legacy.loop.Settle();
  CHECK(legacy.call(0).terms.claim);
  CHECK_FALSE(legacy.call(0).terms.retry_stale);
  CHECK_FALSE(legacy.call(0).terms.streamed);

  World idempotent(Idempotent());
  auto other = idempotent.proxy.Post("k-1");
  idempotent.loop.Settle();
  CHECK_FALSE(idempotent.call(0).terms.claim);
  CHECK_FALSE(idempotent.call(0).terms.retry_stale);

  for (const char* method : {"GET", "POST"}) {
    CAPTURE(method);
    World streamed;
    streamed.Stream();
    auto sent = streamed.proxy.Post("", "", {}, method);
    streamed.loop.Settle();
    CHECK_FALSE(streamed.call(0).terms.claim);
    CHECK(streamed.call(0).terms.retry_stale == (std::string_view(method) == "GET"));
    CHECK(streamed.call(0).terms.streamed);
  }
}

TEST_CASE("a lease counts from when the claim was asked for, not from when it was answered") {
  for (const bool in_time : {true, false}) {
    CAPTURE(in_time);
    World world;
    world.proxy.upstream->ready_at_once = false;
    world.proxy.store.hold_answers = true;
    auto sent = world.proxy.Post("k-1");
    world.loop.Advance(milliseconds(400));
    world.proxy.store.Deliver();
    world.loop.Settle();
    REQUIRE(world.proxy.upstream->calls.size() == 1);
    // 45 s of lease minus 32 s of remaining waits leave 13 s from the begin.
    world.loop.Advance(milliseconds(in_time ? 12'500 : 12'700));
    world.proxy.upstream->Ready(world.call(0));
    world.loop.Settle();
    CHECK(world.call(0).begun == in_time);
  }
}

}  // namespace idem::simulation

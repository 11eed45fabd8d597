// Runs a real loop from a test until a condition holds.
#pragma once

#include <doctest/doctest.h>

#include "proxy/event/event_loop.h"

namespace idem::support {

/// Turns `loop` until `done()`. A test that has waited for 20 s fails here. The condition is
/// checked every millisecond, so the test must not depend on the exact moment.
inline void RunUntil(event::EventLoop& loop, Function<bool()> done) {
  const BootTime give_up = BootClock::now() + std::chrono::seconds(20);
  Ticket next;
  Function<void()> look;
  look = [&] {
    if (done() || BootClock::now() > give_up) return loop.Stop();
    next = loop.After(std::chrono::milliseconds(1), [&] { look(); });
  };
  loop.Post([&] { look(); });
  loop.Run();
  REQUIRE(done());
}

/// Turns `loop` a few times, so that everything that is due now happens.
inline void RunBriefly(event::EventLoop& loop) {
  int turns = 0;
  RunUntil(loop, [&turns] { return ++turns > 5; });
}

}  // namespace idem::support

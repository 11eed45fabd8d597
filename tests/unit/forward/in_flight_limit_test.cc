#include "proxy/forward/in_flight_limit.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/run_loop.h"

namespace idem::forward {
namespace {

using Slot = InFlightLimit::Slot;

TEST_CASE(
    "slots are given in the order of asking, the queue is bounded, and withdrawing frees a place") {
  event::EventLoop loop;
  InFlightLimit gate(1);
  std::string order;
  std::vector<Slot> held;
  const auto ask = [&](char name) {
    return gate.Enter(loop, [&, name](Slot slot) {
      order += slot ? name : '-';
      if (slot) held.push_back(std::move(slot));
    });
  };
  const Ticket a = ask('a');
  Ticket b = ask('b');
  const Ticket refused = ask('c');
  CHECK(order.empty());
  support::RunBriefly(loop);
  CHECK(order == "a-");
  b.Withdraw();
  const Ticket d = ask('d');
  support::RunBriefly(loop);
  CHECK(order == "a-");
  held.clear();
  support::RunBriefly(loop);
  CHECK(order == "a-d");
  held.clear();
  CHECK(gate.in_flight() == 0);
}

TEST_CASE("a slot whose asker withdrew before it arrived comes back") {
  event::EventLoop loop;
  InFlightLimit gate(1);
  Ticket ticket = gate.Enter(loop, [](Slot) { FAIL("answered"); });
  CHECK(gate.in_flight() == 1);
  ticket.Withdraw();
  support::RunBriefly(loop);
  CHECK(gate.in_flight() == 0);
}

TEST_CASE(
    "many workers together never have more than the maximum under way, and all get their turn") {
  constexpr int kWorkers = 4;
  constexpr int kCalls = 500;
  constexpr int kMax = 3;
  InFlightLimit gate(kMax);
  std::atomic<int> now = 0;
  std::atomic<bool> exceeded = false;
  std::vector<std::thread> workers;
  for (int w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&] {
      event::EventLoop loop;
      Ticket ticket;
      int done = 0;
      Function<void()> next;
      next = [&] {
        ticket = gate.Enter(loop, [&](Slot slot) {
          if (slot) {
            exceeded = exceeded || ++now > kMax;
            --now;
            slot.Release();
            if (++done == kCalls) return loop.Stop();
          }
          loop.Post([&] { next(); });
        });
      };
      next();
      loop.Run();
    });
  }
  for (std::thread& worker : workers) worker.join();
  CHECK_FALSE(exceeded);
  CHECK(gate.in_flight() == 0);
}

TEST_CASE("a loop may go while another worker's slot is on its way to it") {
  InFlightLimit gate(1);
  event::EventLoop loop;
  for (int i = 0; i < 200; ++i) {
    Slot held;
    const Ticket mine = gate.Enter(loop, [&](Slot slot) {
      held = std::move(slot);
      loop.Stop();
    });
    loop.Run();
    std::thread other([&gate] {
      event::EventLoop short_lived;
      Ticket ticket = gate.Enter(short_lived, [](Slot) {});
      ticket.Withdraw();
    });
    held.Release();
    other.join();
    CHECK(gate.in_flight() == 0);
  }
}

}  // namespace
}  // namespace idem::forward

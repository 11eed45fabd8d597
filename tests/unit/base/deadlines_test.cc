#include "proxy/base/deadlines.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/support/run_loop.h"

namespace idem {
namespace {

using std::chrono::milliseconds;

TEST_CASE("deadlines are told in their order, stopped ones never, restarted ones last") {
  event::EventLoop loop;
  TimeoutList list(loop, milliseconds(10));
  std::string order;
  TimeoutList::Entry a([&] { order += 'a'; });
  TimeoutList::Entry b([&] { order += 'b'; });
  TimeoutList::Entry c([&] { order += 'c'; });
  const BootTime begun = loop.Now();
  a.Start(list);
  b.Start(list);
  c.Start(list);
  a.Start(list);
  b.Stop();
  support::RunUntil(loop, [&] { return order.size() == 2; });
  CHECK(order == "ca");
  CHECK(loop.Now() - begun >= milliseconds(10));
  CHECK_FALSE(a.running());
  b.Start(list);
  support::RunUntil(loop, [&] { return order == "cab"; });
}

TEST_CASE("whoever is told may destroy itself and its neighbours, and begin again") {
  event::EventLoop loop;
  TimeoutList list(loop, milliseconds(5));
  int told = 0;
  std::unique_ptr<TimeoutList::Entry> first, second;
  TimeoutList::Entry again([&] { ++told; });
  first = std::make_unique<TimeoutList::Entry>([&] {
    ++told;
    second.reset();
    again.Start(list);
    first.reset();
  });
  second = std::make_unique<TimeoutList::Entry>([&] { told += 100; });
  first->Start(list);
  second->Start(list);
  support::RunUntil(loop, [&] { return told == 2; });
}

TEST_CASE("entries may outlive their list") {
  event::EventLoop loop;
  TimeoutList::Entry entry([] { FAIL("told"); });
  {
    TimeoutList list(loop, milliseconds(1));
    entry.Start(list);
  }
  CHECK_FALSE(entry.running());
}

}  // namespace
}  // namespace idem

#include "proxy/event/event_loop.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/run_loop.h"

namespace idem::event {
namespace {

using std::chrono::milliseconds;
using support::RunUntil;

TEST_CASE("tasks run in the order of posting, and one posted by a task runs after the others") {
  EventLoop loop;
  std::string order;
  loop.Post([&] {
    order += 'a';
    loop.Post([&] {
      order += 'c';
      loop.Stop();
    });
  });
  loop.Post([&] { order += 'b'; });
  loop.Run();
  CHECK(order == "abc");
}

TEST_CASE("a task that posts itself without end does not keep timers and sockets waiting") {
  EventLoop loop;
  bool fired = false;
  Function<void()> again;
  again = [&] {
    if (!fired) loop.Post([&] { again(); });
  };
  again();
  const Ticket timer = loop.After(milliseconds(5), [&] {
    fired = true;
    loop.Stop();
  });
  loop.Run();
  CHECK(fired);
}

TEST_CASE("posts from other threads all arrive, each thread's in its order, on the loop's thread") {
  EventLoop loop;
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  std::vector<int> seen(kThreads, 0);
  int total = 0;
  bool in_order = true;
  const auto loop_thread = std::this_thread::get_id();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop.Post([&, t, i] {
          in_order &= seen[static_cast<std::size_t>(t)]++ == i;
          in_order &= std::this_thread::get_id() == loop_thread;
          if (++total == kThreads * kPosts) loop.Stop();
        });
      }
    });
  }
  loop.Run();
  for (auto& thread : threads) thread.join();
  CHECK(total == kThreads * kPosts);
  CHECK(in_order);
}

TEST_CASE("a sleeping loop is woken by a post from another thread") {
  EventLoop loop;
  std::thread other([&] { loop.Stop(); });
  loop.Run();
  other.join();
}

TEST_CASE("a timer fires once, not before its time") {
  EventLoop loop;
  int fired = 0;
  const BootTime begun = loop.Now();
  const Ticket timer = loop.After(milliseconds(20), [&] {
    ++fired;
    CHECK(loop.Now() - begun >= milliseconds(20));
  });
  const Ticket end = loop.After(milliseconds(60), [&] { loop.Stop(); });
  loop.Run();
  CHECK(fired == 1);
  CHECK_FALSE(timer.open());
}

TEST_CASE("dropping a ticket cancels its timer, in its own callback or before") {
  EventLoop loop;
  int fired = 0;
  Ticket cancelled = loop.After(milliseconds(1), [&] { fired += 100; });
  cancelled = Ticket();
  Ticket own;
  own = loop.After(milliseconds(2), [&] {
    ++fired;
    own = Ticket();
  });
  Ticket again = loop.After(milliseconds(3), [&] {
    ++fired;
    again = loop.After(milliseconds(1), [&] { loop.Stop(); });
  });
  loop.Run();
  CHECK(fired == 2);
}

TEST_CASE("a ticket may outlive its loop, and what the loop still held is destroyed unrun") {
  Ticket ticket;
  auto held = std::make_shared<int>(1);
  {
    EventLoop loop;
    ticket = loop.After(milliseconds(1), [held] { FAIL("ran"); });
    loop.Post([held] { FAIL("ran"); });
    std::thread([&] { loop.Post([held] { FAIL("ran"); }); }).join();
    CHECK(held.use_count() == 4);
  }
  CHECK(held.use_count() == 1);
  CHECK_FALSE(ticket.open());
}

TEST_CASE("what is retired is destroyed on a later turn") {
  struct Noted : Retirable {
    explicit Noted(std::string& log) : order(log) {}
    ~Noted() override { order += 'd'; }
    std::string& order;
  };
  EventLoop loop;
  std::string order;
  loop.Post([&] {
    loop.DeleteLater(std::make_unique<Noted>(order));
    order += 'a';
  });
  loop.Post([&] { order += 'b'; });
  RunUntil(loop, [&] { return order.size() == 3; });
  CHECK(order == "abd");
}

TEST_CASE("a socket watch reports the wanted events, and may be destroyed from its callback") {
  EventLoop loop;
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
  std::string seen;
  std::unique_ptr<SocketWatch> watch;
  watch = std::make_unique<SocketWatch>(loop, ends[0], [&](SocketWatch::Ready ready) {
    seen += ready.readable ? 'r' : 'w';
    if (ready.writable) watch->Want(true, false);
    if (ready.readable) watch.reset();
  });
  watch->Want(false, true);
  RunUntil(loop, [&] { return seen == "w"; });
  REQUIRE(write(ends[1], "x", 1) == 1);
  RunUntil(loop, [&] { return seen == "wr"; });
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("each arrival of a watched signal is reported on the loop") {
  EventLoop loop;
  int signals = 0;
  SignalWatch watch(loop, SIGUSR1, [&] { ++signals; });
  loop.Post([] { raise(SIGUSR1); });
  RunUntil(loop, [&] { return signals == 1; });
  loop.Post([] { raise(SIGUSR1); });
  RunUntil(loop, [&] { return signals == 2; });
}

}  // namespace
}  // namespace idem::event

#include "proxy/event/resolver.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "tests/support/run_loop.h"

namespace idem::event {
namespace {

using test::RunUntil;

TEST_CASE("literals, Unix paths and names of this machine are answered on a later turn") {
  Resolver resolver;
  EventLoop loop;
  struct Case {
    const char* asked;
    const char* expected;
  };
  for (const auto& [asked, expected] :
       {Case{"127.0.0.1:80", "127.0.0.1:80"}, Case{"[::1]:81", "[::1]:81"},
        Case{"unix:/run/x", "unix:/run/x"}, Case{"localhost:82", "127.0.0.1:82"},
        Case{"localhost:83", "127.0.0.1:83"}}) {
    CAPTURE(asked);
    std::optional<Resolver::Answer> answer;
    const Ticket ticket = resolver.Resolve(
        loop, *Endpoint::Parse(asked), [&](Resolver::Answer found) { answer = std::move(found); });
    CHECK_FALSE(answer.has_value());
    RunUntil(loop, [&] { return answer.has_value(); });
    REQUIRE(answer->has_value());
    CHECK(std::ranges::any_of(**answer, [&, text = expected](const SocketAddress& address) {
      return address.ToText() == text;
    }));
  }
}

TEST_CASE("a name that nobody knows is an error that names it") {
  Resolver resolver;
  EventLoop loop;
  std::optional<Resolver::Answer> answer;
  const Ticket ticket =
      resolver.Resolve(loop, *Endpoint::Parse("no-such-host.invalid:80"),
                       [&](Resolver::Answer found) { answer = std::move(found); });
  RunUntil(loop, [&] { return answer.has_value(); });
  REQUIRE_FALSE(answer->has_value());
  CHECK(answer->error().detail.find("no-such-host.invalid") != std::string::npos);
}

TEST_CASE("a withdrawn question is never answered, even when its loop goes first") {
  Resolver resolver;
  for (int i = 0; i < 50; ++i) {
    EventLoop loop;
    Ticket ticket = resolver.Resolve(loop, *Endpoint::Parse("localhost:" + std::to_string(i)),
                                     [](Resolver::Answer) { FAIL("answered"); });
    ticket.Withdraw();
  }
}

}  // namespace
}  // namespace idem::event

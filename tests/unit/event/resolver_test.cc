#include "proxy/event/resolver.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/run_loop.h"

namespace idem::event {
namespace {

using support::RunUntil;

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

// The present addresses of names. The resolver's thread reads them.
class Names {
 public:
  void Say(const std::string& address) {
    const std::lock_guard lock(mutex_);
    address_ = address;
  }
  Resolver::Found LookUp() {
    const std::lock_guard lock(mutex_);
    if (address_.empty()) return Error{.code = ErrorCode::kUnavailable, .detail = "no such name"};
    return std::vector{*SocketAddress::FromLiteral(*Endpoint::Parse(address_))};
  }

 private:
  std::mutex mutex_;
  std::string address_;
};

std::string AskFor(EventLoop& loop, Resolver& resolver, const std::string& name) {
  std::optional<Resolver::Answer> answer;
  const Ticket ticket = resolver.Resolve(
      loop, *Endpoint::Parse(name), [&](Resolver::Answer found) { answer = std::move(found); });
  RunUntil(loop, [&] { return answer.has_value(); });
  return *answer ? (*answer)->front().ToText() : answer->error().detail;
}

TEST_CASE("a name that moved is noticed, and one that cannot be asked for stays where it was") {
  Names names;
  names.Say("192.0.2.1:0");
  Resolver resolver(
      {.fresh = Duration::zero(), .look_up = [&](const std::string&) { return names.LookUp(); }});
  EventLoop loop;
  CHECK(AskFor(loop, resolver, "shop:80") == "192.0.2.1:80");
  names.Say("[2001:db8::1]:0");
  CHECK(AskFor(loop, resolver, "shop:80") == "[2001:db8::1]:80");
  names.Say("");
  CHECK(AskFor(loop, resolver, "shop:80") == "[2001:db8::1]:80");
  CHECK(AskFor(loop, resolver, "other:80") == "no such name");
}

TEST_CASE("an answer is kept for its time") {
  Names names;
  names.Say("192.0.2.1:0");
  EventLoop loop;
  const auto look_up = [&](const std::string&) { return names.LookUp(); };
  Resolver long_kept({.fresh = std::chrono::hours(1), .look_up = look_up});
  CHECK(AskFor(loop, long_kept, "shop:80") == "192.0.2.1:80");
  names.Say("192.0.2.2:0");
  CHECK(AskFor(loop, long_kept, "shop:80") == "192.0.2.1:80");
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

#include "proxy/store/remote/remote_link.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/virtual_loop.h"
#include "tests/unit/store/remote/scripted_link.h"

namespace idem::store {

using std::chrono::milliseconds;

namespace {

struct Owner : RemoteLinkEvents {
  void OnLinkReady() override { seen.emplace_back("ready"); }
  void OnLinkLost(const Error& why) override { seen.push_back(why.detail); }
  std::vector<std::string> seen;
};

struct Fixture {
  support::VirtualLoop loop;
  Owner owner;
  ScriptedLink link{loop, owner};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a link that is lost connects again after a pause") {
  CHECK(link.unavailable_reason().detail == "Server at test:1 is not connected yet");
  link.Start();
  CHECK(link.attempts() == 1);
  CHECK_FALSE(link.ready());
  link.Succeed();
  CHECK(link.ready());
  link.Break("closed the connection");
  CHECK_FALSE(link.ready());
  CHECK_FALSE(link.connected());
  CHECK(link.unavailable_reason().detail == "Server at test:1 closed the connection");
  CHECK(link.attempts() == 1);
  loop.Advance(milliseconds(50));
  CHECK(link.attempts() == 2);
  CHECK(owner.seen == std::vector<std::string>{"ready", "Server at test:1 closed the connection"});
}

TEST_CASE_FIXTURE(Fixture,
                  "questions may wait for a first connection, and a moment for a lost one") {
  link.Start();
  CHECK(link.within_grace());
  loop.Advance(milliseconds(800));
  CHECK_FALSE(link.within_grace());
  link.Succeed();
  CHECK(link.within_grace());
  loop.Advance(milliseconds(5000));
  link.Break("closed the connection");
  loop.Advance(milliseconds(40));
  link.Break("cannot be reached");  // an attempt that fails does not extend the grace
  loop.Advance(milliseconds(209));
  CHECK(link.within_grace());
  loop.Advance(milliseconds(1));
  CHECK_FALSE(link.within_grace());
}

TEST_CASE("the grace for a lost connection is never longer than a question's timeout") {
  support::VirtualLoop loop;
  Owner owner;
  ScriptedLink link(loop, owner, milliseconds(100));
  link.Start();
  link.Succeed();
  link.Break("closed the connection");
  loop.Advance(milliseconds(99));
  CHECK(link.within_grace());
  loop.Advance(milliseconds(1));
  CHECK_FALSE(link.within_grace());
}

TEST_CASE_FIXTURE(Fixture,
                  "a dropped link ends on a later turn, once, and only if it is ready then") {
  link.Start();
  link.Succeed();
  link.Drop(link.Fail(ErrorCode::kTimeout, "does not answer"));
  link.Drop(link.Fail(ErrorCode::kTimeout, "is dropped twice"));
  CHECK(link.ready());
  loop.Advance(milliseconds(1));
  CHECK_FALSE(link.ready());
  CHECK(owner.seen == std::vector<std::string>{"ready", "Server at test:1 does not answer"});

  loop.Advance(milliseconds(50));
  link.Succeed();
  link.Drop(link.Fail(ErrorCode::kTimeout, "does not answer"));
  link.Break("closed the connection");  // the drop is over with it
  loop.Advance(milliseconds(50));
  CHECK(owner.seen.size() == 4);
  CHECK(owner.seen.back() == "Server at test:1 closed the connection");
}

TEST_CASE_FIXTURE(Fixture,
                  "the end of the first attempt is reported to those who wait and who come later") {
  std::optional<bool> early;
  std::optional<bool> late;
  const Ticket first = link.WhenTried([&](const Status& status) { early = status.has_value(); });
  link.Start();
  loop.Settle();
  CHECK_FALSE(early);
  link.Break("refuses the password");
  CHECK(early == false);
  loop.Advance(milliseconds(50));
  link.Succeed();
  const Ticket second = link.WhenTried([&](const Status& status) { late = status.has_value(); });
  CHECK_FALSE(late);
  loop.Settle();
  CHECK(late == false);  // the first attempt counts
}

}  // namespace idem::store

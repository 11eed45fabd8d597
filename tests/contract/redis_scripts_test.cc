// The store's scripts as Redis runs them, except that the test gives the time: the lines that call
// TIME are replaced by one that takes the last argument.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "proxy/store/redis/redis_keys.h"
#include "proxy/store/redis/scripts.h"
#include "tests/support/process.h"
#include "tests/support/redis_client.h"

namespace idem::store {
namespace {

constexpr std::string_view kAskTime =
    "local now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])";
constexpr std::string_view kGivenTime = "local now_us = tonumber(table.remove(ARGV))";

// Redis must not expire a record by its own clock here, so that only the stamp decides.
constexpr std::string_view kLife = "'PX', keep)";
constexpr std::string_view kLongerLife = "'PX', keep + 3600000)";

// Returns a token that differs in its last digit only.
std::string TokenOf(char digit) { return std::string(31, '0') + digit; }
const std::string kMine = TokenOf('1');
const std::string kOther = TokenOf('2');

class Scripts {
 public:
  Scripts()
      : redis_(static_cast<std::uint16_t>(
            std::stoi(support::ServerVariable("IDEM_TEST_REDIS_PORT")))) {
    keys_.prefix = "scripts-" + std::to_string(std::random_device{}()) + ":";
    const std::string time = redis_.Ask({"TIME"});  // (SECONDS MICROSECONDS)
    // Lies in the future, so that Redis expires nothing by its own clock while the test runs.
    start_ms_ = (std::stoll(time.substr(1)) + 3600) * 1000;
  }

  std::string Begin(std::int64_t at, const std::string& token, const std::string& replaces = "") {
    return Run(RedisScript::kBegin, {keys_.Record("k"), keys_.Withdrawn(token)},
               {token, replaces, "100", "1100", "REST\n"}, at * 1000);
  }
  std::string LimitedBegin(std::int64_t at, const std::string& token, int requests) {
    return Run(RedisScript::kBegin,
               {keys_.Record("k"), keys_.Withdrawn(token), keys_.Limit("s"), keys_.Counted(token)},
               {token, "", "100", "1100", "REST\n", token, "window", std::to_string(requests),
                "60000", "0"},
               at * 1000);
  }
  std::string Complete(std::int64_t at, const std::string& token, const std::string& keep = "500",
                       const std::string& rest = "DONE\nbody") {
    return Run(RedisScript::kComplete, {keys_.Record("k")}, {token, "100", keep, rest}, at * 1000);
  }
  std::string MarkUnknown(std::int64_t at, const std::string& token) {
    return Run(RedisScript::kMarkUnknown, {keys_.Record("k")}, {token, "100", "1000", "REST\n"},
               at * 1000);
  }
  std::string Release(std::int64_t at, const std::string& token) {
    return Run(RedisScript::kRelease, {keys_.Record("k")}, {token}, at * 1000);
  }
  std::string Withdraw(std::int64_t at, const std::string& token) {
    return Run(RedisScript::kWithdraw, {keys_.Record("k"), keys_.Withdrawn(token)},
               {token, "60000"}, at * 1000);
  }
  std::string Look(std::int64_t at) {
    return Run(RedisScript::kLook, {keys_.Record("k")}, {}, at * 1000);
  }
  std::string Count(std::int64_t at_us, const std::string& token, const std::string& algorithm,
                    int requests, int per, int burst) {
    return Run(
        RedisScript::kCount, {keys_.Limit("s"), keys_.Counted(token)},
        {token, algorithm, std::to_string(requests), std::to_string(per), std::to_string(burst)},
        at_us);
  }
  std::string Ask(const std::vector<std::string>& arguments) { return redis_.Ask(arguments); }
  [[nodiscard]] std::string record_key() const { return keys_.Record("k"); }

 private:
  std::string Run(RedisScript script, std::vector<std::string> keys,
                  std::vector<std::string> arguments, std::int64_t at_us) {
    std::string text = RedisScriptText(script);
    const auto place = text.find(kAskTime);
    REQUIRE(place != std::string::npos);
    text.replace(place, kAskTime.size(), kGivenTime);
    if (const auto life = text.find(kLife); life != std::string::npos) {
      text.replace(life, kLife.size(), kLongerLife);
    }
    arguments.push_back(std::to_string(start_ms_ * 1000 + at_us));

    std::vector<std::string> command = {"EVAL", text, std::to_string(keys.size())};
    std::move(keys.begin(), keys.end(), std::back_inserter(command));
    std::move(arguments.begin(), arguments.end(), std::back_inserter(command));
    return Relative(redis_.Ask(command));
  }

  // Converts every time in a reply to milliseconds since the test's start.
  std::string Relative(const std::string& reply) const {
    std::string out;
    for (std::size_t i = 0; i < reply.size();) {
      const auto end = std::min(reply.find_first_not_of("0123456789", i), reply.size());
      if (end - i == 13) {
        out += '@' + std::to_string(std::stoll(reply.substr(i, 13)) - start_ms_);
        i = end;
      } else {
        const auto next = std::max(end, i + 1);
        out += reply.substr(i, next - i);
        i = next;
      }
    }
    return out;
  }

  support::RedisClient redis_;
  RedisKeys keys_;
  std::int64_t start_ms_ = 0;
};

std::string Held(std::string_view now, const std::string& record) {
  return "(held @" + std::string(now) + " " + record + ")";
}

}  // namespace

TEST_CASE("redis: a claim is completed once, and asking again changes nothing") {
  Scripts scripts;
  CHECK(scripts.Begin(0, kMine) == "(claimed @0 nil)");
  CHECK(scripts.Look(5) == Held("5", "idemproxy/1 executing " + kMine + " @100 @0 @1100 REST\n"));
  CHECK(scripts.Begin(10, kMine) == "(claimed @10 nil)");
  CHECK(scripts.Begin(150, kMine) == "(claimed @150 nil)");
  CHECK(scripts.Complete(200, kMine) == "(done @200)");
  CHECK(scripts.Complete(210, kMine) == "(done @210)");
  const std::string record = "idemproxy/1 completed " + kMine + " @100 @0 @700 DONE\nbody";
  CHECK(scripts.Look(699) == Held("699", record));
  CHECK(scripts.Begin(220, kOther) == "(held @220 nil " + record + ")");
  CHECK(scripts.Begin(220, kMine) == "(held @220 nil " + record + ")");
  CHECK(scripts.MarkUnknown(230, kMine) == Held("230", record));
  CHECK(scripts.Release(230, kMine) == Held("230", record));
  CHECK(scripts.Withdraw(230, kMine) == "(done @230)");
  CHECK(scripts.Look(700) == "(done @700)");
}

TEST_CASE("redis: a second response under the same token is not the record") {
  Scripts scripts;
  scripts.Begin(0, kMine);
  CHECK(scripts.Complete(10, kMine) == "(done @10)");
  CHECK(scripts.Complete(20, kMine, "500", "OTHER\nbody") ==
        Held("20", "idemproxy/1 completed " + kMine + " @100 @0 @510 DONE\nbody"));
}

TEST_CASE("redis: another token changes nothing that is held") {
  Scripts scripts;
  scripts.Begin(0, kMine);
  const std::string record = "idemproxy/1 executing " + kMine + " @100 @0 @1100 REST\n";
  CHECK(scripts.Begin(1, kOther) == "(held @1 nil " + record + ")");
  CHECK(scripts.Begin(100, kOther) == "(held @100 nil " + record + ")");
  CHECK(scripts.Complete(2, kOther) == Held("2", record));
  CHECK(scripts.MarkUnknown(2, kOther) == Held("2", record));
  CHECK(scripts.Release(2, kOther) == Held("2", record));
  CHECK(scripts.Withdraw(2, kOther) == "(done @2)");
  CHECK(scripts.Look(3) == Held("3", record));
}

TEST_CASE("redis: a claim is taken over only once it is unknown, and only by its token") {
  Scripts scripts;
  scripts.Begin(0, kMine);
  const std::string record = "idemproxy/1 executing " + kMine + " @100 @0 @1100 REST\n";
  CHECK(scripts.Begin(99, kOther, kMine) == "(held @99 nil " + record + ")");
  CHECK(scripts.Begin(100, kOther, TokenOf('3')) == "(held @100 nil " + record + ")");
  CHECK(scripts.Begin(100, kOther, kMine) == "(claimed @100 nil)");
  CHECK(scripts.Complete(110, kMine).starts_with("(held @110 idemproxy/1 executing " + kOther));
  CHECK(scripts.MarkUnknown(120, kOther) == "(done @120)");
  CHECK(scripts.MarkUnknown(130, kOther) == "(done @130)");
  CHECK(scripts.Look(131) ==
        Held("131", "idemproxy/1 unknown " + kOther + " @200 @100 @1120 REST\n"));
  CHECK(scripts.Begin(140, TokenOf('3'), kOther) == "(claimed @140 nil)");
}

TEST_CASE("redis: an unknown claim may still be completed or released by its token") {
  Scripts scripts;
  scripts.Begin(0, kMine);
  scripts.MarkUnknown(10, kMine);
  CHECK(scripts.Complete(20, kMine) == "(done @20)");

  Scripts others;
  others.Begin(0, kMine);
  others.MarkUnknown(10, kMine);
  CHECK(others.Release(20, kMine) == "(done @20)");
  CHECK(others.Look(21) == "(done @21)");
}

TEST_CASE("redis: a forgotten claim is written again, but a release does nothing") {
  Scripts scripts;
  CHECK(scripts.Release(0, kMine) == "(done @0)");
  CHECK(scripts.MarkUnknown(1, kMine) == "(rewritten @1)");
  CHECK(scripts.Release(2, kMine) == "(done @2)");
  CHECK(scripts.Complete(3, kMine) == "(rewritten @3)");
  CHECK(scripts.Complete(4, kMine) == "(done @4)");
}

TEST_CASE("redis: a begin that arrives after its withdrawal changes nothing and is not counted") {
  Scripts scripts;
  CHECK(scripts.Begin(0, kMine) == "(claimed @0 nil)");
  CHECK(scripts.Withdraw(1, kMine) == "(done @1)");
  CHECK(scripts.Look(2) == "(done @2)");
  CHECK(scripts.Begin(3, kMine) == "(withdrawn @3)");
  CHECK(scripts.LimitedBegin(3, kMine, 1) == "(withdrawn @3)");
  CHECK(scripts.LimitedBegin(4, kOther, 1) == "(claimed @4 (1 0 60000))");
}

TEST_CASE("redis: a begin that the limit refuses leaves no claim, and a replay is counted") {
  Scripts scripts;
  CHECK(scripts.LimitedBegin(0, kMine, 2) == "(claimed @0 (1 1 60000))");
  CHECK(scripts.LimitedBegin(10, kMine, 2) == "(claimed @10 (1 1 59990))");
  CHECK(scripts.LimitedBegin(20, kOther, 2).starts_with("(held @20 (1 0 59980) idemproxy/1 "));
  CHECK(scripts.Release(21, kMine) == "(done @21)");
  CHECK(scripts.LimitedBegin(30, TokenOf('3'), 2) == "(limited @30 (0 0 59970))");
  CHECK(scripts.Look(31) == "(done @31)");
}

TEST_CASE("redis: a value that is not a record is told as an error and never overwritten") {
  Scripts scripts;
  for (const std::string value :
       {"", "hello", "idemproxy/2 executing 00 1 1 1 ", "idemproxy/1 executing 00 1 1"}) {
    CAPTURE(value);
    scripts.Ask({"SET", scripts.record_key(), value});
    CHECK(scripts.Begin(0, kMine).starts_with("!CORRUPT"));
    CHECK(scripts.Complete(0, kMine).starts_with("!CORRUPT"));
    CHECK(scripts.MarkUnknown(0, kMine).starts_with("!CORRUPT"));
    CHECK(scripts.Release(0, kMine).starts_with("!CORRUPT"));
    CHECK(scripts.Withdraw(0, kOther).starts_with("!CORRUPT"));
    CHECK(scripts.Look(0).starts_with("!CORRUPT"));
    CHECK(scripts.Ask({"GET", scripts.record_key()}) == value);
  }
}

TEST_CASE("redis: a window accepts as a plain list of timestamps says, for random schedules") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    Scripts scripts;
    const int requests = std::uniform_int_distribution(1, 8)(random);
    const int per = std::uniform_int_distribution(1000, 20000)(random);
    const std::int64_t per_us = std::int64_t{per} * 1000;
    std::deque<std::int64_t> accepted;
    std::int64_t now = 0;
    for (int i = 0; i < 100; ++i) {
      // Often picks exactly the moment at which the oldest request stops counting, or one next to
      // it.
      if (!accepted.empty() && random() % 3 == 0) {
        now =
            std::max(now, accepted.front() + per_us - 1 + static_cast<std::int64_t>(random() % 3));
      } else {
        now += std::uniform_int_distribution<std::int64_t>(0, 2 * per_us / requests)(random);
      }
      while (!accepted.empty() && accepted.front() + per_us <= now) accepted.pop_front();
      const bool allowed = accepted.size() < static_cast<std::size_t>(requests);
      if (allowed) accepted.push_back(now);
      const auto reset = (accepted.front() + per_us - now + 999) / 1000;
      const std::string verdict = "(" + std::to_string(allowed ? 1 : 0) + " " +
                                  std::to_string(requests - static_cast<int>(accepted.size())) +
                                  " " + std::to_string(reset) + ")";
      CAPTURE(now);
      REQUIRE(scripts.Count(now, "t" + std::to_string(i), "window", requests, per, 0) == verdict);
    }
  }
}

TEST_CASE("redis: a token is counted once, by either algorithm") {
  for (const std::string algorithm : {"window", "bucket"}) {
    CAPTURE(algorithm);
    Scripts scripts;
    CHECK(scripts.Count(0, kMine, algorithm, 2, 60000, 2).starts_with("(1 1 "));
    CHECK(scripts.Count(1000, kMine, algorithm, 2, 60000, 2).starts_with("(1 1 "));
    CHECK(scripts.Count(2000, kOther, algorithm, 2, 60000, 2).starts_with("(1 0 "));
    CHECK(scripts.Count(3000, TokenOf('3'), algorithm, 2, 60000, 2).starts_with("(0 0 "));
    CHECK(scripts.Count(4000, kMine, algorithm, 2, 60000, 2).starts_with("(1 0 "));
  }
}

TEST_CASE("redis: a narrower window reports when the next request is allowed") {
  Scripts scripts;
  for (int i = 0; i < 4; ++i)
    scripts.Count(i * 1000, TokenOf(char('1' + i)), "window", 4, 60000, 0);
  CHECK(scripts.Count(10000, TokenOf('9'), "window", 2, 60000, 0) == "(0 0 59992)");
}

TEST_CASE("redis: a bucket takes a burst and then one request an interval") {
  Scripts scripts;
  const auto count = [&](std::int64_t at_ms, char token) {
    return scripts.Count(at_ms * 1000, TokenOf(token), "bucket", 10, 10000, 3);
  };
  CHECK(count(0, '1') == "(1 2 1000)");
  CHECK(count(0, '2') == "(1 1 1000)");
  CHECK(count(0, '3') == "(1 0 1000)");
  CHECK(count(0, '4') == "(0 0 1000)");
  CHECK(count(999, '4') == "(0 0 1)");
  CHECK(count(1000, '4') == "(1 0 1000)");
  CHECK(count(4000, '5') == "(1 2 1000)");
}

}  // namespace idem::store

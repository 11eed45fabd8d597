#include "proxy/store/local/limit_windows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "proxy/store/local/limit_table.h"
#include "tests/contract/samples.h"

namespace idem::store {

using contract::NextToken;
using idempotency::Token;
using ports::LimitAlgorithm;
using ports::LimitResult;
using ports::LimitRule;
using std::chrono::milliseconds;

namespace {

constexpr StoreTime kStart{std::chrono::hours(100)};

/// The documented rule, implemented as a plain list of the times of accepted requests.
struct PlainList {
  std::vector<std::pair<StoreTime, Token>> accepted;

  LimitResult Count(const Token& token, const LimitRule& rule, StoreTime now) {
    std::vector<StoreTime> counting;
    bool known = false;
    for (const auto& [at, of] : accepted) {
      if (now < at + rule.per) {
        counting.push_back(at);
        known = known || of == token;
      }
    }
    LimitResult verdict;
    verdict.allowed = known || counting.size() < rule.requests;
    if (verdict.allowed && !known) {
      accepted.emplace_back(now, token);
      counting.push_back(now);
    }
    const auto used = static_cast<std::uint32_t>(counting.size());
    verdict.remaining = used < rule.requests ? rule.requests - used : 0;
    verdict.reset = counting.empty()
                        ? milliseconds(0)
                        : *std::min_element(counting.begin(), counting.end()) + rule.per - now;
    return verdict;
  }
};

}  // namespace

TEST_CASE("the sliding window counts as a plain list of timestamps does, on random schedules") {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto pick = [&](int most) { return static_cast<int>(random() % (unsigned(most) + 1)); };
    const LimitRule rule{
        static_cast<std::uint32_t>(1 + pick(12)), milliseconds(1 + pick(200)), {}, 0};
    const int step_max = 1 + pick(60);
    SlidingWindow window;
    PlainList list;
    StoreTime now = kStart;
    Token token = NextToken();
    for (int i = 0; i < 300; ++i) {
      now += milliseconds(pick(step_max));
      if (pick(4) != 0) token = NextToken();  // otherwise the same call again
      const LimitResult verdict = window.Count(token, rule, now);
      const LimitResult expected = list.Count(token, rule, now);
      REQUIRE(verdict.allowed == expected.allowed);
      REQUIRE(verdict.remaining == expected.remaining);
      REQUIRE(verdict.reset == expected.reset);
    }
  }
}

TEST_CASE("a request accepted at t counts until t + per, exclusive") {
  const LimitRule rule{1, milliseconds(1000), {}, 0};
  SlidingWindow window;
  CHECK(window.Count(NextToken(), rule, kStart).allowed);
  const LimitResult refused = window.Count(NextToken(), rule, kStart + milliseconds(999));
  CHECK_FALSE(refused.allowed);
  CHECK(refused.reset == milliseconds(1));
  CHECK(window.Count(NextToken(), rule, kStart + milliseconds(1000)).allowed);
}

TEST_CASE("a reload that lowers the limit counts what was accepted before") {
  SlidingWindow window;
  for (int i = 0; i < 5; ++i) {
    CHECK(
        window.Count(NextToken(), {5, milliseconds(100), {}, 0}, kStart + milliseconds(i)).allowed);
  }
  const LimitResult verdict =
      window.Count(NextToken(), {2, milliseconds(100), {}, 0}, kStart + milliseconds(10));
  CHECK_FALSE(verdict.allowed);
  CHECK(verdict.remaining == 0);
  CHECK(verdict.reset == milliseconds(93));  // when the fourth of five has left
}

TEST_CASE("a token bucket lets its burst through at once and then one for each interval") {
  const LimitRule rule{10, milliseconds(1000), LimitAlgorithm::kTokenBucket, 3};
  TokenBucket bucket;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const LimitResult verdict = bucket.Count(NextToken(), rule, kStart);
    CHECK(verdict.allowed);
    CHECK(verdict.remaining == 2 - i);
    CHECK(verdict.reset == milliseconds(100));
  }
  CHECK_FALSE(bucket.Count(NextToken(), rule, kStart + milliseconds(99)).allowed);
  const Token token = NextToken();
  CHECK(bucket.Count(token, rule, kStart + milliseconds(100)).allowed);
  CHECK(bucket.Count(token, rule, kStart + milliseconds(100)).allowed);
  CHECK_FALSE(bucket.Count(NextToken(), rule, kStart + milliseconds(100)).allowed);
  CHECK(bucket.Count(NextToken(), rule, kStart + milliseconds(400)).remaining == 2);
}

TEST_CASE("subjects are counted apart, and forgotten when nothing of them counts any more") {
  LimitTable table;
  const LimitRule rule{1, milliseconds(1000), {}, 0};
  for (int i = 0; i < 500; ++i) {
    const std::string subject = "orders;address=" + std::to_string(i);
    CHECK(table.Count({subject, NextToken(), rule}, kStart).allowed);
    CHECK_FALSE(table.Count({subject, NextToken(), rule}, kStart).allowed);
  }
  CHECK(table.size() == 500);
  for (int i = 500; i < 1500; ++i) {
    const std::string subject = "orders;address=" + std::to_string(i);
    CHECK(table.Count({subject, NextToken(), rule}, kStart + milliseconds(1000)).allowed);
  }
  CHECK(table.size() == 1000);
}

TEST_CASE("a subject whose algorithm was changed by a reload starts from zero") {
  LimitTable table;
  CHECK(table.Count({"s", NextToken(), {1, milliseconds(1000), {}, 0}}, kStart).allowed);
  const LimitRule bucket{1, milliseconds(1000), LimitAlgorithm::kTokenBucket, 1};
  CHECK(table.Count({"s", NextToken(), bucket}, kStart).allowed);
  CHECK_FALSE(table.Count({"s", NextToken(), bucket}, kStart).allowed);
}

}  // namespace idem::store

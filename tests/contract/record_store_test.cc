// The promises of ports/record_store.h and rate_limiter.h, the same for every store.
#include <doctest/doctest.h>

#include <thread>

#include "tests/contract/arrows.h"
#include "tests/contract/contract_stores.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"

namespace idem::contract {

using idempotency::Claim;
using idempotency::RecordState;
using idempotency::Token;
using ports::BeginResult;
using ports::LimitRequest;
using ports::LimitResult;
using ports::LimitRule;
using ports::TransitionResult;
using std::chrono::milliseconds;

namespace {

template <class Fixture>
void Prepare(From from, const std::string& key, const Claim& claim, Fixture& fixture,
             Caller& caller) {
  if (from == From::kAbsent) return;
  REQUIRE(caller.Begin(key, claim).kind == BeginResult::Kind::kClaimed);
  if (from == From::kLeaseEnded) fixture.Pass(kAfterShort);
  if (from == From::kUnknown) {
    REQUIRE(caller.MarkUnknown(key, claim).kind == TransitionResult::Kind::kDone);
  }
  if (from == From::kCompleted) {
    REQUIRE(caller.Complete(key, claim).kind == TransitionResult::Kind::kDone);
  }
}

Reply Run(Ask ask, const std::string& key, const Claim& mine, const Claim& fresh, Caller& caller) {
  switch (ask) {
    case Ask::kBegin:
      return ReplyOf(caller.Begin(key, mine).kind);
    case Ask::kTakeOver:
      return ReplyOf(caller.Begin(key, fresh, mine.token).kind);
    case Ask::kComplete:
      return ReplyOf(caller.Complete(key, mine).kind);
    case Ask::kMarkUnknown:
      return ReplyOf(caller.MarkUnknown(key, mine).kind);
    case Ask::kRelease:
      return ReplyOf(caller.Release(key, mine.token).kind);
    case Ask::kWithdraw:
      return ReplyOf(caller.Withdraw(key, mine.token).kind);
    case Ask::kReleaseUnknown:
      return ReplyOf(caller.ReleaseUnknown(key, mine.token).kind);
    case Ask::kResolveUnknown:
      return ReplyOf(caller.ResolveUnknown(key, mine).kind);
  }
  FAIL("no such question");
  return Reply::kDone;
}

LimitRequest Limit(std::string subject, Token token, LimitRule rule) {
  return {std::move(subject), token, rule};
}

}  // namespace

TEST_CASE_TEMPLATE("every arrow of the record's picture, once and asked twice", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  int row = 0;
  for (const Arrow& arrow : kArrows) {
    CAPTURE(arrow.from);
    CAPTURE(arrow.ask);
    CAPTURE(arrow.token);
    const std::string key = "arrow-" + std::to_string(++row);
    Claim record = NewClaim();
    if (arrow.from == From::kLeaseEnded) record.lease = kShort;
    const Claim mine = arrow.token == Whose::kMine ? record : NewClaim();
    const Claim fresh = NewClaim();
    Prepare(arrow.from, key, record, fixture, caller);

    for (const Reply reply : {arrow.reply, AskedTwice(arrow.reply)}) {
      CHECK(Run(arrow.ask, key, mine, fresh, caller) == reply);
      const ports::ReadResult seen = caller.Read(key);
      CHECK(StateOf(seen.record, seen.now) == arrow.after);
    }
  }
}

TEST_CASE_TEMPLATE("a record comes back as it was written", Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = NewClaim();
  const BeginResult begun = caller.Begin("k", claim);
  CHECK_FALSE(begun.record.has_value());
  CHECK_FALSE(begun.limit.has_value());

  const BeginResult executing = caller.Begin("k", NewClaim());
  REQUIRE(executing.record);
  CHECK(executing.record->state == RecordState::kExecuting);
  CHECK(IsSameClaim(executing.record->claim, claim));
  CHECK(executing.record->begun_at <= executing.now);
  CHECK(executing.record->lease_ends_at == executing.record->begun_at + claim.lease);
  CHECK(executing.record->expires_at == executing.record->lease_ends_at + claim.unknown_ttl);

  caller.Complete("k", claim, NewResponse(), milliseconds(654321));
  const BeginResult completed = caller.Begin("k", NewClaim());
  REQUIRE(completed.record);
  CHECK(completed.record->state == RecordState::kCompleted);
  CHECK(IsSameClaim(completed.record->claim, claim));
  CHECK(completed.record->begun_at == executing.record->begun_at);
  CHECK(completed.record->lease_ends_at == executing.record->lease_ends_at);
  CHECK(completed.record->expires_at <= completed.now + milliseconds(654321));
  CHECK(completed.record->expires_at >= executing.now + milliseconds(654321));
  REQUIRE(completed.record->response);
  CHECK(IsSameResponse(*completed.record->response, NewResponse()));
}

TEST_CASE_TEMPLATE("a response without its body, and one without fields, come back", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  idempotency::StoredResponse not_kept = NewResponse("");
  not_kept.body_kept = false;
  idempotency::StoredResponse bare;
  bare.status = 204;
  int row = 0;
  for (const auto& response : {not_kept, bare}) {
    const std::string key = "response-" + std::to_string(++row);
    const Claim claim = NewClaim();
    caller.Begin(key, claim);
    caller.Complete(key, claim, response);
    const auto held = caller.Read(key);
    REQUIRE(held.record);
    REQUIRE(held.record->response);
    CHECK(IsSameResponse(*held.record->response, response));
  }
}

TEST_CASE_TEMPLATE("a completion under its own token with another response shows the first",
                   Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = NewClaim();
  caller.Begin("k", claim);
  caller.Complete("k", claim, NewResponse("found by looking it up"));
  const TransitionResult late =
      caller.Complete("k", claim, NewResponse("the answer that came late"));
  CHECK(late.kind == TransitionResult::Kind::kHeld);
  REQUIRE(late.record);
  CHECK(late.record->response->body == "found by looking it up");
}

TEST_CASE_TEMPLATE("a process that lost its claim is shown who took over", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  Claim lost = NewClaim();
  lost.lease = kShort;
  caller.Begin("k", lost);
  fixture.Pass(kAfterShort);
  const Claim winner = NewClaim();
  CHECK(caller.Begin("k", winner, lost.token).kind == BeginResult::Kind::kClaimed);
  const TransitionResult refused = caller.Complete("k", lost);
  CHECK(refused.kind == TransitionResult::Kind::kHeld);
  REQUIRE(refused.record);
  CHECK(refused.record->claim.token == winner.token);
  CHECK(caller.Complete("k", winner).kind == TransitionResult::Kind::kDone);
}

TEST_CASE_TEMPLATE("two that would take over one unknown claim: one does", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim unknown = NewClaim();
  caller.Begin("k", unknown);
  caller.MarkUnknown("k", unknown);
  CHECK(caller.Begin("k", NewClaim(), unknown.token).kind == BeginResult::Kind::kClaimed);
  CHECK(caller.Begin("k", NewClaim(), unknown.token).kind == BeginResult::Kind::kHeld);
}

TEST_CASE_TEMPLATE("a begin that arrives after its withdrawal changes nothing", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim late = NewClaim();
  const LimitRequest limit = Limit("late", late.token, {1, kLong, {}, 0});
  CHECK(caller.Withdraw("k", late.token).kind == TransitionResult::Kind::kDone);
  CHECK(caller.Begin("k", late, {}, limit).kind == BeginResult::Kind::kWithdrawn);
  CHECK_FALSE(caller.Read("k").record.has_value());

  const LimitRequest next = Limit("late", NextToken(), {1, kLong, {}, 0});
  CHECK(caller.Begin("k", NewClaim(), {}, next).kind == BeginResult::Kind::kClaimed);
}

TEST_CASE_TEMPLATE("a begin that arrived before its withdrawal is released, and stays away",
                   Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = NewClaim();
  caller.Begin("k", claim);
  caller.Withdraw("k", claim.token);
  CHECK_FALSE(caller.Read("k").record.has_value());
  CHECK(caller.Begin("k", claim).kind == BeginResult::Kind::kWithdrawn);
}

TEST_CASE_TEMPLATE("the mark of a withdrawal lasts for one lease", Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = NewClaim();
  caller.Withdraw("k", claim.token, kShort);
  fixture.Pass(kAfterShort);
  CHECK(caller.Begin("k", claim).kind == BeginResult::Kind::kClaimed);
}

TEST_CASE_TEMPLATE("a record reads as absent when its time is over", Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  Claim completed = NewClaim();
  Claim unknown = NewClaim();
  unknown.unknown_ttl = kShort;
  Claim abandoned = NewClaim();
  abandoned.lease = abandoned.unknown_ttl = kShort;
  caller.Begin("completed", completed);
  caller.Complete("completed", completed, NewResponse(), kShort);
  caller.Begin("unknown", unknown);
  caller.MarkUnknown("unknown", unknown);
  caller.Begin("abandoned", abandoned);
  fixture.Pass(kAfterShort * 2);

  for (const std::string key : {"completed", "unknown", "abandoned"}) {
    CAPTURE(key);
    CHECK_FALSE(caller.Read(key).record.has_value());
    CHECK(caller.Begin(key, NewClaim()).kind == BeginResult::Kind::kClaimed);
  }
}

TEST_CASE_TEMPLATE("replays do not extend a record's life", Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = NewClaim();
  caller.Begin("k", claim);
  caller.Complete("k", claim);
  const auto first = caller.Read("k");
  REQUIRE(first.record);
  fixture.Pass(kShort);
  for (int i = 0; i < 3; ++i) {
    const BeginResult replay = caller.Begin("k", NewClaim());
    REQUIRE(replay.record);
    CHECK(replay.record->expires_at == first.record->expires_at);
  }
  caller.Complete("k", claim);  // a repeated call
  CHECK(caller.Read("k").record->expires_at == first.record->expires_at);
}

TEST_CASE_TEMPLATE("marking an unknown outcome again does not extend its life", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = NewClaim();
  caller.Begin("k", claim);
  caller.MarkUnknown("k", claim);
  const auto first = caller.Read("k");
  REQUIRE(first.record);
  fixture.Pass(kShort);
  CHECK(caller.MarkUnknown("k", claim).kind == TransitionResult::Kind::kDone);
  CHECK(caller.Read("k").record->expires_at == first.record->expires_at);
}

TEST_CASE_TEMPLATE("of 1,000 begins at once on one key, one claims", Fixture, CONTRACT_STORES) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 250;
  Fixture fixture;
  std::atomic<int> claimed = 0;
  std::array<std::vector<Token>, kThreads> winners;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Caller caller(fixture);
      auto answers = caller.AwaitAll<BeginResult>(kEach, [&](std::size_t, auto on_answer) {
        return caller.records().Begin({"k", NewClaim(), {}, {}}, std::move(on_answer));
      });
      for (auto& answer : answers) {
        if (answer->kind == BeginResult::Kind::kClaimed) ++claimed;
        if (answer->record) winners[t].push_back(answer->record->claim.token);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  CHECK(claimed == 1);
  Caller caller(fixture);
  const auto holder = caller.Read("k");
  REQUIRE(holder.record);
  std::size_t shown = 0;
  for (const auto& tokens : winners) {
    for (const Token& token : tokens) shown += token == holder.record->claim.token ? 1 : 0;
  }
  CHECK(shown == kThreads * kEach - 1);
}

TEST_CASE_TEMPLATE("many keys at once: each is claimed, completed and replayed", Fixture,
                   CONTRACT_STORES) {
  constexpr std::size_t kKeys = 1000;
  Fixture fixture;
  Caller caller(fixture);
  std::vector<Claim> claims(kKeys);
  for (Claim& claim : claims) claim = NewClaim();
  const auto key = [](std::size_t i) { return "many-" + std::to_string(i); };
  const auto body = [](std::size_t i) { return "body of " + std::to_string(i); };

  for (auto& answer : caller.AwaitAll<BeginResult>(kKeys, [&](std::size_t i, auto on_answer) {
         return caller.records().Begin({key(i), claims[i], {}, {}}, std::move(on_answer));
       })) {
    REQUIRE(answer);
    CHECK(answer->kind == BeginResult::Kind::kClaimed);
  }
  for (auto& answer : caller.AwaitAll<TransitionResult>(kKeys, [&](std::size_t i, auto on_answer) {
         return caller.records().Apply(Completion(key(i), claims[i], NewResponse(body(i))),
                                       std::move(on_answer));
       })) {
    REQUIRE(answer);
    CHECK(answer->kind == TransitionResult::Kind::kDone);
  }
  for (std::size_t i = 0; i < kKeys; i += 37) {
    const BeginResult replay = caller.Begin(key(i), NewClaim());
    REQUIRE(replay.record);
    CHECK(replay.record->response->body == body(i));
  }
}

TEST_CASE_TEMPLATE("one turn may begin, complete and begin again: each step sees the one before",
                   Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim first = NewClaim();
  const Claim second = NewClaim();
  auto& records = caller.records();
  std::vector<std::string> seen;
  std::vector<Ticket> tickets;
  const auto on_begun = [&](Result<BeginResult> answer) {
    seen.push_back(answer->kind == BeginResult::Kind::kClaimed ? "claimed" : "held");
    if (seen.size() == 5) caller.loop().Stop();
  };
  const auto on_settled = [&](Result<TransitionResult> answer) {
    seen.push_back(answer->kind == TransitionResult::Kind::kDone ? "done" : "held");
    if (seen.size() == 5) caller.loop().Stop();
  };
  tickets.push_back(records.Begin({"k", first, {}, {}}, on_begun));
  tickets.push_back(
      records.Apply(Settlement(ports::Transition::Kind::kRelease, "k", first), on_settled));
  tickets.push_back(records.Begin({"k", second, {}, {}}, on_begun));
  tickets.push_back(
      records.Apply(Settlement(ports::Transition::Kind::kRelease, "k", first), on_settled));
  tickets.push_back(records.Apply(Completion("k", second), on_settled));
  caller.loop().Run();
  CHECK(std::count(seen.begin(), seen.end(), "claimed") == 2);
  CHECK(std::count(seen.begin(), seen.end(), "done") == 2);
  CHECK(std::count(seen.begin(), seen.end(), "held") == 1);
  CHECK(caller.Read("k").record->state == RecordState::kCompleted);
}

TEST_CASE_TEMPLATE("a body of 1 MiB comes back byte for byte", Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  std::string body(1024 * 1024, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) {
    body[i] = static_cast<char>((i * 2654435761U) >> 13);
  }
  const Claim claim = NewClaim();
  caller.Begin("k", claim);
  caller.Complete("k", claim, NewResponse(body));
  const BeginResult replay = caller.Begin("k", NewClaim());
  REQUIRE(replay.record);
  CHECK(replay.record->response->body == body);
}

TEST_CASE_TEMPLATE("keys of every byte that a key may have are keys of their own", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  std::vector<std::string> keys;
  std::string all;
  for (char c = '!'; c <= '~'; ++c) {
    keys.emplace_back(1, c);
    all.push_back(c);
  }
  keys.push_back(all);
  keys.emplace_back(255, '{');
  for (const std::string& key : keys) {
    CAPTURE(key);
    const Claim claim = NewClaim();
    CHECK(caller.Begin(key, claim).kind == BeginResult::Kind::kClaimed);
    CHECK(caller.Complete(key, claim, NewResponse(key)).kind == TransitionResult::Kind::kDone);
  }
  for (const std::string& key : keys) {
    CAPTURE(key);
    const auto held = caller.Read(key);
    REQUIRE(held.record);
    CHECK(held.record->response->body == key);
  }
}

TEST_CASE_TEMPLATE("a dropped ticket is never answered, and hurts nobody", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  bool answered = false;
  {
    const Ticket ticket =
        caller.records().Begin({"k", NewClaim(), {}, {}}, [&](auto) { answered = true; });
  }
  caller.Read("k");
  CHECK_FALSE(answered);
}

TEST_CASE_TEMPLATE("begin counts, and a request that the limit refuses leaves no claim", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const LimitRule rule{2, kLong, {}, 0};
  const Claim claim = NewClaim();
  const BeginResult first = caller.Begin("a", claim, {}, Limit("s", claim.token, rule));
  CHECK(first.kind == BeginResult::Kind::kClaimed);
  REQUIRE(first.limit);
  CHECK(first.limit->allowed);
  CHECK(first.limit->remaining == 1);
  CHECK(first.limit->reset <= kLong);
  CHECK(first.limit->reset > milliseconds(0));

  // A repeated call is counted once. A replay counts like any other request.
  CHECK(caller.Begin("a", claim, {}, Limit("s", claim.token, rule)).limit->remaining == 1);
  const BeginResult replay = caller.Begin("a", NewClaim(), {}, Limit("s", NextToken(), rule));
  CHECK(replay.kind == BeginResult::Kind::kHeld);
  CHECK(replay.limit->remaining == 0);

  const BeginResult refused = caller.Begin("b", NewClaim(), {}, Limit("s", NextToken(), rule));
  CHECK(refused.kind == BeginResult::Kind::kLimited);
  REQUIRE(refused.limit);
  CHECK_FALSE(refused.limit->allowed);
  CHECK(refused.limit->remaining == 0);
  CHECK_FALSE(refused.record.has_value());
  CHECK_FALSE(caller.Read("b").record.has_value());
  CHECK(caller.Begin("b", NewClaim(), {}, Limit("t", NextToken(), rule)).kind ==
        BeginResult::Kind::kClaimed);
}

TEST_CASE_TEMPLATE("count and begin share one count, and one token is counted once", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const LimitRule rule{3, kLong, {}, 0};
  const Token token = NextToken();
  for (int i = 0; i < 3; ++i) {
    const LimitResult verdict = caller.Count(Limit("s", token, rule));
    CHECK(verdict.allowed);
    CHECK(verdict.remaining == 2);
  }
  CHECK(caller.Begin("k", NewClaim(), {}, Limit("s", NextToken(), rule)).limit->remaining == 1);
  CHECK(caller.Count(Limit("s", NextToken(), rule)).remaining == 0);
  CHECK_FALSE(caller.Count(Limit("s", NextToken(), rule)).allowed);
  CHECK(caller.Count(Limit("s", token, rule)).allowed);
}

TEST_CASE_TEMPLATE("a place in the window is free again when the request that took it has left",
                   Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const LimitRule rule{1, kShort, {}, 0};
  CHECK(caller.Count(Limit("s", NextToken(), rule)).allowed);
  fixture.Pass(kAfterShort);
  const LimitResult verdict = caller.Count(Limit("s", NextToken(), rule));
  CHECK(verdict.allowed);
  CHECK(verdict.remaining == 0);
  CHECK(verdict.reset <= kShort);
}

TEST_CASE_TEMPLATE("a token bucket lets its burst through and no more", Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const LimitRule rule{1, kLong, ports::LimitAlgorithm::kTokenBucket, 3};
  for (std::uint32_t left = 3; left-- > 0;) {
    const LimitResult verdict = caller.Count(Limit("s", NextToken(), rule));
    CHECK(verdict.allowed);
    CHECK(verdict.remaining == left);
  }
  const LimitResult refused = caller.Count(Limit("s", NextToken(), rule));
  CHECK_FALSE(refused.allowed);
  CHECK(refused.reset <= kLong);
  CHECK(refused.reset > milliseconds(0));
}

TEST_CASE_TEMPLATE("workers that count at once let through as many as the rule says", Fixture,
                   CONTRACT_STORES) {
  constexpr std::size_t kThreads = 3;
  Fixture fixture;
  std::atomic<int> allowed = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      Caller caller(fixture);
      for (int i = 0; i < 40; ++i) {
        if (caller.Count(Limit("s", NextToken(), {50, kLong, {}, 0})).allowed) ++allowed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(allowed == 50);
}

}  // namespace idem::contract

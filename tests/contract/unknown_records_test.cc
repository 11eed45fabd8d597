// Unknown records: the reservation of a look-up, and an operator's two steps.
#include <doctest/doctest.h>

#include <thread>

#include "proxy/idempotency/record_codec.h"
#include "tests/contract/arrows.h"
#include "tests/contract/contract_stores.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"

namespace idem::contract {

using idempotency::Claim;
using idempotency::RecordState;
using ports::BeginResult;
using ports::LookUpReservation;
using ports::TransitionResult;
using std::chrono::milliseconds;

namespace {

Claim MakeUnknown(const std::string& key, Caller& caller) {
  const Claim claim = NewClaim();
  REQUIRE(caller.Begin(key, claim).kind == BeginResult::Kind::kClaimed);
  REQUIRE(caller.MarkUnknown(key, claim).kind == TransitionResult::Kind::kDone);
  return claim;
}

}  // namespace

TEST_CASE_TEMPLATE("the right to look up is granted once, until its pause is over", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller first(fixture);
  Caller second(fixture);
  const Claim claim = MakeUnknown("k", first);
  const auto before = first.Read("k");

  CHECK(first.ReserveLookUp("k", claim.token).kind == LookUpReservation::Kind::kGranted);
  for (Caller* caller : {&first, &second}) {
    const LookUpReservation taken = caller->ReserveLookUp("k", claim.token, kShort);
    CHECK(taken.kind == LookUpReservation::Kind::kTaken);
    CHECK(taken.retry_after > milliseconds(0));
    CHECK(taken.retry_after <= kLong);
  }
  const Claim other = MakeUnknown("other", first);
  CHECK(second.ReserveLookUp("other", other.token, kShort).kind ==
        LookUpReservation::Kind::kGranted);
  fixture.Pass(kAfterShort);
  CHECK(first.ReserveLookUp("other", other.token).kind == LookUpReservation::Kind::kGranted);

  const auto after = first.Read("k");
  REQUIRE(before.record);
  REQUIRE(after.record);
  CHECK(idempotency::Encode(*after.record) == idempotency::Encode(*before.record));
}

TEST_CASE_TEMPLATE("of many that ask for the right to look up at once, one gets it", Fixture,
                   CONTRACT_STORES) {
  constexpr std::size_t kThreads = 3;
  constexpr std::size_t kEach = 50;
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = MakeUnknown("k", caller);
  std::atomic<int> granted = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      Caller mine(fixture);
      for (auto& answer : mine.AwaitAll<LookUpReservation>(kEach, [&](std::size_t, auto on_answer) {
             return mine.records().ReserveLookUp({"k", claim.token, kLong}, std::move(on_answer));
           })) {
        if (answer->kind == LookUpReservation::Kind::kGranted) ++granted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(granted == 1);
}

TEST_CASE_TEMPLATE("nobody may look up what is not unknown with the token that was shown", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const LookUpReservation absent = caller.ReserveLookUp("absent", NextToken());
  CHECK(absent.kind == LookUpReservation::Kind::kChanged);
  CHECK_FALSE(absent.record.has_value());

  const Claim executing = NewClaim();
  caller.Begin("executing", executing);
  Claim abandoned = NewClaim();
  abandoned.lease = kShort;
  caller.Begin("abandoned", abandoned);
  const Claim unknown = MakeUnknown("unknown", caller);
  const Claim completed = NewClaim();
  caller.Begin("completed", completed);
  caller.Complete("completed", completed);

  const LookUpReservation alive = caller.ReserveLookUp("executing", executing.token);
  CHECK(alive.kind == LookUpReservation::Kind::kChanged);
  REQUIRE(alive.record);
  CHECK(alive.record->claim.token == executing.token);
  const LookUpReservation another = caller.ReserveLookUp("unknown", NextToken());
  CHECK(another.kind == LookUpReservation::Kind::kChanged);
  REQUIRE(another.record);
  CHECK(another.record->claim.token == unknown.token);
  const LookUpReservation done = caller.ReserveLookUp("completed", completed.token);
  CHECK(done.kind == LookUpReservation::Kind::kChanged);
  REQUIRE(done.record);
  CHECK(done.record->response != nullptr);

  fixture.Pass(kAfterShort);
  CHECK(caller.ReserveLookUp("abandoned", abandoned.token).kind ==
        LookUpReservation::Kind::kGranted);
}

TEST_CASE_TEMPLATE("what an operator resolved is replayed, and lives its ttl", Fixture,
                   CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = MakeUnknown("k", caller);
  const auto unknown = caller.Read("k");
  CHECK(caller.ResolveUnknown("k", claim, NewResponse("settled"), milliseconds(654321)).kind ==
        TransitionResult::Kind::kDone);
  const BeginResult replay = caller.Begin("k", NewClaim());
  CHECK(replay.kind == BeginResult::Kind::kHeld);
  REQUIRE(replay.record);
  CHECK(replay.record->state == RecordState::kCompleted);
  CHECK(IsSameClaim(replay.record->claim, claim));
  CHECK(replay.record->lease_ends_at == unknown.record->lease_ends_at);
  CHECK(replay.record->expires_at <= replay.now + milliseconds(654321));
  REQUIRE(replay.record->response);
  CHECK(IsSameResponse(*replay.record->response, NewResponse("settled")));

  // A late answer, and another operator, get the settled response.
  CHECK(caller.Complete("k", claim, NewResponse("late")).record->response->body == "settled");
  const TransitionResult again = caller.ResolveUnknown("k", claim, NewResponse("otherwise"));
  CHECK(again.kind == TransitionResult::Kind::kHeld);
  CHECK(again.record->response->body == "settled");
}

TEST_CASE_TEMPLATE("what an operator released is a key that nobody used; its late answer is kept",
                   Fixture, CONTRACT_STORES) {
  Fixture fixture;
  Caller caller(fixture);
  const Claim claim = MakeUnknown("k", caller);
  CHECK(caller.ReleaseUnknown("k", claim.token).kind == TransitionResult::Kind::kDone);
  CHECK_FALSE(caller.Read("k").record.has_value());
  CHECK(caller.Complete("k", claim).kind == TransitionResult::Kind::kRewritten);
  CHECK(caller.Begin("k", NewClaim()).record->response != nullptr);
}

}  // namespace idem::contract

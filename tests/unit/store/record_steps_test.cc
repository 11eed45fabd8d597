#include "proxy/store/record_steps.h"

#include <doctest/doctest.h>

#include "proxy/idempotency/record_codec.h"
#include "tests/contract/arrows.h"
#include "tests/contract/samples.h"

namespace idem::store {

using contract::Arrow;
using contract::From;
using contract::Reply;
using contract::Whose;
using idempotency::Claim;
using idempotency::Milliseconds;

namespace {

constexpr StoreTime kBegun{std::chrono::hours(100)};
constexpr StoreTime kNow = kBegun + Milliseconds(500);

StoredRecord Prepared(From from, Claim claim) {
  if (from == From::kLeaseEnded) claim.lease = Milliseconds(500);
  switch (from) {
    case From::kAbsent:
      return std::nullopt;
    case From::kExecuting:
    case From::kLeaseEnded:
      return idempotency::MakeExecuting(claim, kBegun);
    case From::kUnknown:
      return idempotency::MakeUnknown(claim, kBegun, kBegun + claim.lease, kBegun);
    case From::kCompleted:
      return idempotency::MakeCompleted(claim, kBegun, kBegun + claim.lease,
                                        contract::Shared(contract::NewResponse()), contract::kLong,
                                        kBegun);
  }
  return std::nullopt;
}

struct UpstreamResult {
  Reply reply;
  StoredRecord after;
};

template <class Answer>
UpstreamResult Look(Step<Answer> step, const StoredRecord& before) {
  UpstreamResult seen{contract::ReplyOf(step.answer.kind), before};
  CHECK(step.answer.now == kNow);
  CHECK(step.answer.record.has_value() == (seen.reply == Reply::kHeld));
  CHECK(step.record.has_value() == (step.change == RecordWrite::kWrite));
  if (step.change == RecordWrite::kErase) seen.after.reset();
  if (step.change == RecordWrite::kWrite) seen.after = step.record;
  return seen;
}

UpstreamResult Run(contract::Ask ask, const StoredRecord& present, const Claim& mine,
                   const Claim& fresh) {
  using Kind = ports::Transition::Kind;
  const auto apply = [&](Kind kind) {
    ports::Transition transition = contract::Completion("k", mine);
    transition.kind = kind;
    return Look(Apply(transition, present, kNow), present);
  };
  switch (ask) {
    case contract::Ask::kBegin:
      return Look(Begin(present, mine, {}, kNow), present);
    case contract::Ask::kTakeOver:
      return Look(Begin(present, fresh, mine.token, kNow), present);
    case contract::Ask::kComplete:
      return apply(Kind::kComplete);
    case contract::Ask::kMarkUnknown:
      return apply(Kind::kMarkUnknown);
    case contract::Ask::kRelease:
      return apply(Kind::kRelease);
    case contract::Ask::kWithdraw:
      return apply(Kind::kWithdraw);
    case contract::Ask::kReleaseUnknown:
      return apply(Kind::kReleaseUnknown);
    case contract::Ask::kResolveUnknown:
      return apply(Kind::kResolveUnknown);
  }
  FAIL("no such question");
  return {};
}

TransitionStep MarkUnknown(StoredRecord present, const Claim& claim) {
  return Apply(contract::Settlement(ports::Transition::Kind::kMarkUnknown, "k", claim),
               std::move(present), kNow);
}

}  // namespace

TEST_CASE("each step answers and writes as the table says, and asked twice writes nothing new") {
  for (const Arrow& arrow : contract::kArrows) {
    CAPTURE(arrow.from);
    CAPTURE(arrow.ask);
    CAPTURE(arrow.token);
    const Claim record = contract::NewClaim();
    const Claim mine = arrow.token == Whose::kMine ? record : contract::NewClaim();
    const Claim fresh = contract::NewClaim();

    const UpstreamResult once = Run(arrow.ask, Prepared(arrow.from, record), mine, fresh);
    CHECK(once.reply == arrow.reply);
    CHECK(contract::StateOf(once.after, kNow) == arrow.after);

    const UpstreamResult twice = Run(arrow.ask, once.after, mine, fresh);
    CHECK(twice.reply == contract::AskedTwice(arrow.reply));
    CHECK(twice.after.has_value() == once.after.has_value());
    if (twice.after && once.after) {
      CHECK(idempotency::Encode(*twice.after) == idempotency::Encode(*once.after));
    }
  }
}

TEST_CASE("what is written lives from now, and keeps when the claim began and its lease ends") {
  const Claim claim = contract::NewClaim();
  const StoredRecord executing = Prepared(From::kExecuting, claim);

  const auto completed =
      Apply(contract::Completion("k", claim, contract::NewResponse(), Milliseconds(7000)),
            executing, kNow)
          .record;
  REQUIRE(completed);
  CHECK(completed->begun_at == kBegun);
  CHECK(completed->lease_ends_at == kBegun + claim.lease);
  CHECK(completed->expires_at == kNow + Milliseconds(7000));

  const auto unknown = MarkUnknown(executing, claim).record;
  REQUIRE(unknown);
  CHECK(unknown->begun_at == kBegun);
  CHECK(unknown->lease_ends_at == kBegun + claim.lease);
  CHECK(unknown->expires_at == kNow + claim.unknown_ttl);
}

TEST_CASE("a completion keeps the end of the lease, also one that a restart has moved") {
  const Claim claim = contract::NewClaim();
  for (const auto kind :
       {ports::Transition::Kind::kComplete, ports::Transition::Kind::kResolveUnknown}) {
    const StoreTime moved = kBegun + claim.lease + Milliseconds(5000);
    ports::Transition transition = contract::Completion("k", claim);
    transition.kind = kind;
    const auto completed =
        Apply(transition, idempotency::MakeUnknown(claim, kBegun, moved, kBegun), kNow).record;
    REQUIRE(completed);
    CHECK(completed->lease_ends_at == moved);
  }
}

TEST_CASE("marking an unknown outcome again does not restart its life") {
  const Claim claim = contract::NewClaim();
  const auto step = MarkUnknown(Prepared(From::kUnknown, claim), claim);
  CHECK(step.answer.kind == ports::TransitionResult::Kind::kDone);
  CHECK(step.change == RecordWrite::kNone);
}

TEST_CASE("a claim that the store forgot may have a lease as long as if it began now") {
  const Claim claim = contract::NewClaim();
  const auto unknown = MarkUnknown(std::nullopt, claim).record;
  REQUIRE(unknown);
  CHECK(unknown->lease_ends_at == kNow + claim.lease);
}

TEST_CASE(
    "a completion under its own token with another response is refused, and shows the first") {
  const Claim claim = contract::NewClaim();
  const StoredRecord completed = Prepared(From::kCompleted, claim);
  const auto step = Apply(contract::Completion("k", claim, contract::NewResponse("{\"order\":2}")),
                          completed, kNow);
  CHECK(step.answer.kind == ports::TransitionResult::Kind::kHeld);
  CHECK(step.change == RecordWrite::kNone);
  REQUIRE(step.answer.record);
  CHECK(step.answer.record->response->body == "{\"order\":1}");
}

TEST_CASE("the right to look up is for what is unknown with that token, and for one at a time") {
  using Kind = ports::LookUpReservation::Kind;
  const Claim claim = contract::NewClaim();
  for (const From from : {From::kAbsent, From::kExecuting, From::kCompleted}) {
    CAPTURE(from);
    const auto step = ReserveLookUp(Prepared(from, claim), claim.token, {}, kNow);
    CHECK(step.answer.kind == Kind::kChanged);
    CHECK(step.answer.record.has_value() == (from != From::kAbsent));
  }
  for (const From from : {From::kLeaseEnded, From::kUnknown}) {
    CAPTURE(from);
    const StoredRecord present = Prepared(from, claim);
    CHECK(ReserveLookUp(present, claim.token, {}, kNow).answer.kind == Kind::kGranted);
    CHECK(ReserveLookUp(present, claim.token, kNow, kNow).answer.kind == Kind::kGranted);
    CHECK(ReserveLookUp(present, contract::NextToken(), {}, kNow).answer.kind == Kind::kChanged);
    const auto taken = ReserveLookUp(present, claim.token, kNow + Milliseconds(7), kNow).answer;
    CHECK(taken.kind == Kind::kTaken);
    CHECK(taken.retry_after == Milliseconds(7));
  }
}

TEST_CASE("a record is absent from the moment at which it expires") {
  const StoredRecord record = Prepared(From::kCompleted, contract::NewClaim());
  CHECK(WithoutExpired(record, record->expires_at - Milliseconds(1)).has_value());
  CHECK_FALSE(WithoutExpired(record, record->expires_at).has_value());
  CHECK_FALSE(WithoutExpired(std::nullopt, kNow).has_value());
}

}  // namespace idem::store

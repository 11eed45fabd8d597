#include "tests/simulation/store_link.h"

#include <utility>

namespace idem::simulation {

namespace {

using ports::BeginRequest;
using ports::BeginResult;
using ports::TransitionResult;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

Error Lost(const char* what) { return {ErrorCode::kUnavailable, what, Delivery::kNotSent}; }

}  // namespace

// Sends a call, carries it out when it arrives, and sends the answer back. Each of the three may
// fail separately. Every call is answered in the end, possibly with an error.
template <class Answer, class Step>
Ticket StoreLink::Ask(Function<void(Result<Answer>)> on_answer, Step step) {
  auto [ticket, completion] = idem::Ask<Result<Answer>>(std::move(on_answer));
  Draw& draw = weather_.draw;
  const StoreFaults& faults = weather_.scenario.store;
  const auto hop = [&] {
    const bool slow = weather_.Strikes(faults.slow);
    if (slow) coverage_.Count(Fault::kStoreSlow);
    return slow ? draw.Between(milliseconds(200), seconds(4))
                : draw.Between(microseconds(100), milliseconds(3));
  };
  const Duration way_there = hop();
  const Duration way_back = hop();
  const bool question_lost = weather_.Strikes(faults.lose_question);
  const bool answer_lost = weather_.Strikes(faults.lose_answer);
  const Duration notices = draw.Chance(500) ? hop() : seconds(2);  // that no answer will come
  if (weather_.Strikes(faults.doubled)) {
    coverage_.Count(Fault::kStoreDoubled);
    timeline_.After(way_there + hop(), [this, step] {
      if (server_.away) return;
      server_.takes_a_copy = true;
      static_cast<void>(step());
      server_.takes_a_copy = false;
    });
  }
  if (question_lost) {
    coverage_.Count(Fault::kStoreQuestionLost);
    loop_.Arrive(notices, [completion = std::move(completion)]() mutable {
      completion(Lost("the question was lost"));
    });
    return std::move(ticket);
  }
  timeline_.After(way_there, [this, step, completion = std::move(completion), way_back, notices,
                              answer_lost]() mutable {
    Result<Answer> answer = Lost("the store is away");
    if (!server_.away) answer = step();
    if (answer_lost) answer = Lost("the answer was lost");
    if (answer_lost) coverage_.Count(Fault::kStoreAnswerLost);
    loop_.Arrive(answer ? way_back : notices,
                 [completion = std::move(completion), answer = std::move(answer)]() mutable {
                   completion(std::move(answer));
                 });
  });
  return std::move(ticket);
}

template <class Answer>
Function<void(Result<Answer>)> StoreLink::Tell(Attempt* attempt,
                                               Function<void(Result<Answer>)> on_answer) {
  if (attempt == nullptr) return on_answer;
  return [this, attempt, on_answer = std::move(on_answer)](Result<Answer> answer) mutable {
    if (answer && answer->record) attempt->holder = answer->record->claim.token;
    Attempt* const before = std::exchange(asking_.attempt, attempt);
    on_answer(std::move(answer));
    asking_.attempt = before;
  };
}

// The first call with a token determines the attempt that owns its claim.
void StoreLink::Introduce(const BeginRequest& question) {
  ClaimFacts& claim = ledger_.claims[question.claim.token];
  if (claim.attempt != nullptr) return;
  INVARIANT(asking_.attempt != nullptr);
  claim.attempt = asking_.attempt;
  claim.upstream_idempotent = question.claim.upstream_idempotent;
  claim.strange = strange_;
  claim.lease = question.claim.lease;
  claim.unknown_ttl = question.claim.unknown_ttl;
  asking_.attempt->token = question.claim.token;
  asking_.attempt->record_key = question.record_key;
}

// A later version writes a later recipe in every record of its claims.
idempotency::Claim StoreLink::AsWritten(idempotency::Claim claim) const {
  const ClaimFacts* facts = ledger_.Claim(std::optional(claim.token));
  const bool later = facts != nullptr && facts->strange && !claim.recipe.starts_with("9:");
  if (later) claim.recipe = "9:" + claim.recipe;
  return claim;
}

// Counts whether the record that a `begin` met leads to a look-up, and when.
void StoreLink::CountLookUp(const idempotency::Claim& claim, const idempotency::Record& record,
                            StoreTime now) {
  const idempotency::Policy& policy = weather_.scenario.policy;
  const bool same =
      record.claim.recipe == claim.recipe && record.claim.fingerprint == claim.fingerprint;
  const bool unknown = record.state_at(now) == idempotency::RecordState::kUnknown;
  const bool takes_over = record.claim.upstream_idempotent && claim.upstream_idempotent;
  if (!policy.reconcile || !same || !unknown || takes_over) return;
  const bool due = idempotency::UntilLookUp(policy, record, now).count() == 0;
  coverage_.Count(due ? Met::kLookUpDue : Met::kLookUpTooEarly);
}

Ticket StoreLink::Begin(BeginRequest question, OnBegun on_answer) {
  const bool asks_again = ledger_.claims.contains(question.claim.token);
  if (asks_again && !question.replaces) coverage_.Count(Fault::kWaited);
  Introduce(question);
  question.claim = AsWritten(question.claim);
  Attempt* attempt = ledger_.claims[question.claim.token].attempt;
  auto counted = [this, claim = question.claim,
                  on_answer = std::move(on_answer)](Result<BeginResult> answer) mutable {
    if (answer && answer->record) CountLookUp(claim, *answer->record, answer->now);
    on_answer(std::move(answer));
  };
  return Ask<BeginResult>(
      Tell<BeginResult>(attempt, std::move(counted)),
      [this, question = std::move(question)] { return server_.Begin(question); });
}

Ticket StoreLink::Apply(const ports::Transition& transition, OnApplied on_applied) {
  ports::Transition sent = transition;
  sent.claim = AsWritten(transition.claim);
  Attempt* asker = nullptr;
  if (transition.kind == ports::Transition::Kind::kComplete) {
    const Call* call = ledger_.AnsweredCall(transition.response->fields);
    asker = call == nullptr ? nullptr : call->attempt;
  }
  return Ask<TransitionResult>(Tell<TransitionResult>(asker, std::move(on_applied)),
                               [this, sent = std::move(sent)] { return server_.Apply(sent); });
}

Ticket StoreLink::ReserveLookUp(const ports::LookUpRequest& request, OnLookUpReserved on_reserved) {
  INVARIANT(asking_.attempt != nullptr);
  return Ask<ports::LookUpReservation>(
      Tell<ports::LookUpReservation>(asking_.attempt, std::move(on_reserved)),
      [this, request] { return server_.ReserveLookUp(request); });
}

Ticket StoreLink::Read(std::string_view key, OnRead on_read) {
  return Ask<ports::ReadResult>(std::move(on_read),
                                [this, key = std::string(key)] { return server_.Read(key); });
}

Ticket StoreLink::Count(const ports::LimitRequest& request, OnCounted on_counted) {
  return Ask<ports::LimitResult>(std::move(on_counted),
                                 [this, request] { return server_.Count(request); });
}

}  // namespace idem::simulation

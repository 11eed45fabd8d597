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

// A question goes out, is carried out when it arrives, and its answer comes back: each of the three
// may fail by itself. Every question is answered in the end, if with an error.
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
  const Duration notices = draw.Chance(500) ? hop() : seconds(2);  // that it will get no answer
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

// The first question about a token tells whose claim it is.
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

// A later version names a later recipe, in every record of its claims.
idempotency::Claim StoreLink::AsWritten(idempotency::Claim claim) const {
  const ClaimFacts* facts = ledger_.Claim(std::optional(claim.token));
  const bool later = facts != nullptr && facts->strange && !claim.recipe.starts_with("9:");
  if (later) claim.recipe = "9:" + claim.recipe;
  return claim;
}

// Whether what a `begin` met leads to the backend, and when.
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

Ticket StoreLink::Complete(std::string_view key, const idempotency::Claim& claim,
                           const idempotency::StoredResponse& response,
                           idempotency::Milliseconds ttl, OnSettled on_answer) {
  const Call* call = ledger_.AnsweredCall(response.fields);
  Attempt* asker = call == nullptr ? nullptr : call->attempt;
  return Ask<TransitionResult>(Tell<TransitionResult>(asker, std::move(on_answer)),
                               [this, key = std::string(key), claim = AsWritten(claim), response,
                                ttl] { return server_.Complete(key, claim, response, ttl); });
}

Ticket StoreLink::Release(std::string_view key, const idempotency::Token& token,
                          OnSettled on_answer) {
  return Ask<TransitionResult>(std::move(on_answer), [this, key = std::string(key), token] {
    return server_.Release(key, token);
  });
}

Ticket StoreLink::MarkUnknown(std::string_view key, const idempotency::Claim& claim,
                              OnSettled on_answer) {
  return Ask<TransitionResult>(std::move(on_answer),
                               [this, key = std::string(key), claim = AsWritten(claim)] {
                                 return server_.MarkUnknown(key, claim);
                               });
}

Ticket StoreLink::Withdraw(std::string_view key, const idempotency::Token& token,
                           idempotency::Milliseconds lease, OnSettled on_answer) {
  return Ask<TransitionResult>(std::move(on_answer), [this, key = std::string(key), token, lease] {
    return server_.Withdraw(key, token, lease);
  });
}

Ticket StoreLink::ReserveLookUp(std::string_view key, const idempotency::Token& token,
                                idempotency::Milliseconds pause, OnLookUpReserved on_answer) {
  INVARIANT(asking_.attempt != nullptr);
  return Ask<ports::LookUpReservation>(
      Tell<ports::LookUpReservation>(asking_.attempt, std::move(on_answer)),
      [this, key = std::string(key), token, pause] {
        return server_.ReserveLookUp(key, token, pause);
      });
}

Ticket StoreLink::ReleaseUnknown(std::string_view key, const idempotency::Token& token,
                                 OnSettled on_answer) {
  return Ask<TransitionResult>(std::move(on_answer), [this, key = std::string(key), token] {
    return server_.ReleaseUnknown(key, token);
  });
}

Ticket StoreLink::ResolveUnknown(std::string_view key, const idempotency::Claim& claim,
                                 const idempotency::StoredResponse& response,
                                 idempotency::Milliseconds ttl, OnSettled on_answer) {
  return Ask<TransitionResult>(std::move(on_answer),
                               [this, key = std::string(key), token = claim.token, response, ttl] {
                                 return server_.ResolveUnknown(key, token, response, ttl);
                               });
}

Ticket StoreLink::Look(std::string_view key, OnSettled on_answer) {
  return Ask<TransitionResult>(std::move(on_answer),
                               [this, key = std::string(key)] { return server_.Look(key); });
}

Ticket StoreLink::Count(const ports::LimitRequest& question,
                        Function<void(Result<ports::LimitResult>)> on_answer) {
  return Ask<ports::LimitResult>(std::move(on_answer),
                                 [this, question] { return server_.Count(question); });
}

}  // namespace idem::simulation

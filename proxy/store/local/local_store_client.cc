#include "proxy/store/local/local_store_client.h"

#include <utility>

namespace idem::store {

using idempotency::Claim;
using idempotency::Milliseconds;
using idempotency::StoredResponse;
using idempotency::Token;
using ports::BeginRequest;
using ports::BeginResult;
using ports::LimitRequest;
using ports::LimitResult;
using ports::LookUpReservation;
using ports::TransitionResult;

ports::NoteResult WriteNote(std::optional<std::string> there,
                            const std::optional<std::string>& replaces, std::string_view value) {
  if (there == replaces || there == value) return {true, std::string(value)};
  return {false, std::move(there)};
}

Ticket LocalClient::Begin(BeginRequest question, OnBegun on_answer) {
  auto [ticket, completion] = Ask<Result<BeginResult>>(std::move(on_answer));
  const StoreTime now = Now();
  if (state_.withdrawals.Holds(question.claim.token, now)) {
    Answer<Result<BeginResult>>(std::move(completion),
                                BeginResult{BeginResult::Kind::kWithdrawn, {}, now, {}});
    return std::move(ticket);
  }
  std::optional<LimitResult> verdict;
  if (question.limit) verdict = state_.limits.Count(*question.limit, now);
  if (verdict && !verdict->allowed) {
    Answer<Result<BeginResult>>(std::move(completion),
                                BeginResult{BeginResult::Kind::kLimited, {}, now, verdict});
    return std::move(ticket);
  }
  DoBegin(std::move(question), verdict, std::move(completion));
  return std::move(ticket);
}

Ticket LocalClient::Complete(std::string_view record_key, const Claim& claim,
                             const StoredResponse& response, Milliseconds ttl,
                             OnSettled on_answer) {
  auto step = [claim, response, ttl](StoredRecord present, StoreTime now) mutable {
    return store::Complete(std::move(present), claim, std::move(response), ttl, now);
  };
  return Settle(record_key, std::move(step), std::move(on_answer));
}

Ticket LocalClient::Release(std::string_view record_key, const Token& token, OnSettled on_answer) {
  auto step = [token](StoredRecord present, StoreTime now) {
    return store::Release(std::move(present), token, now);
  };
  return Settle(record_key, std::move(step), std::move(on_answer));
}

Ticket LocalClient::MarkUnknown(std::string_view record_key, const Claim& claim,
                                OnSettled on_answer) {
  auto step = [claim](StoredRecord present, StoreTime now) {
    return store::MarkUnknown(std::move(present), claim, now);
  };
  return Settle(record_key, std::move(step), std::move(on_answer));
}

Ticket LocalClient::Withdraw(std::string_view record_key, const Token& token, Milliseconds lease,
                             OnSettled on_answer) {
  const StoreTime marked_at = Now();
  // Before the record is looked at, so that a begin which does not see the mark is itself seen.
  state_.withdrawals.Mark(token, marked_at + lease, marked_at);
  auto step = [token](StoredRecord present, StoreTime now) {
    return store::Withdraw(std::move(present), token, now);
  };
  return Settle(record_key, std::move(step), std::move(on_answer));
}

// The step runs where no other step of this key can, so that of two askers one sees the mark of the
// other.
Ticket LocalClient::ReserveLookUp(std::string_view record_key, const Token& token,
                                  Milliseconds pause, OnLookUpReserved on_answer) {
  auto [ticket, completion] = Ask<Result<LookUpReservation>>(std::move(on_answer));
  auto step = [this, token, pause](StoredRecord present, StoreTime now) {
    LookUpStep made =
        store::ReserveLookUp(std::move(present), token, state_.look_ups.Find(token, now), now);
    const bool is_granted = made.answer.kind == LookUpReservation::Kind::kGranted;
    if (is_granted) state_.look_ups.Mark(token, now + pause, now);
    return made;
  };
  DoLookUp(std::string(record_key), std::move(step), std::move(completion));
  return std::move(ticket);
}

Ticket LocalClient::ReleaseUnknown(std::string_view record_key, const Token& token,
                                   OnSettled on_answer) {
  auto step = [token](StoredRecord present, StoreTime now) {
    return store::ReleaseUnknown(std::move(present), token, now);
  };
  return Settle(record_key, std::move(step), std::move(on_answer));
}

Ticket LocalClient::ResolveUnknown(std::string_view record_key, const Claim& claim,
                                   const StoredResponse& response, Milliseconds ttl,
                                   OnSettled on_answer) {
  auto step = [token = claim.token, response, ttl](StoredRecord present, StoreTime now) mutable {
    return store::ResolveUnknown(std::move(present), token, std::move(response), ttl, now);
  };
  return Settle(record_key, std::move(step), std::move(on_answer));
}

Ticket LocalClient::Look(std::string_view record_key, OnSettled on_answer) {
  return Settle(record_key, store::Look, std::move(on_answer));
}

Ticket LocalClient::Count(const LimitRequest& question,
                          Function<void(Result<LimitResult>)> on_answer) {
  auto [ticket, completion] = Ask<Result<LimitResult>>(std::move(on_answer));
  Answer<Result<LimitResult>>(std::move(completion), state_.limits.Count(question, Now()));
  return std::move(ticket);
}

Ticket LocalClient::Settle(std::string_view record_key, SettleFunction step, OnSettled on_answer) {
  auto [ticket, completion] = Ask<Result<TransitionResult>>(std::move(on_answer));
  DoSettle(std::string(record_key), std::move(step), std::move(completion));
  return std::move(ticket);
}

}  // namespace idem::store

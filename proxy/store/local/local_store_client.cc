#include "proxy/store/local/local_store_client.h"

#include <utility>

namespace idem::store {

using ports::BeginRequest;
using ports::BeginResult;
using ports::LimitRequest;
using ports::LimitResult;
using ports::LookUpRequest;
using ports::LookUpReservation;
using ports::ReadResult;
using ports::Transition;
using ports::TransitionResult;

ports::NoteResult WriteNote(std::optional<std::string> present,
                            const std::optional<std::string>& replaces, std::string_view value) {
  if (present == replaces || present == value) return {true, std::string(value)};
  return {false, std::move(present)};
}

template <class Value, class StepFunction>
Ticket LocalClient::RunStep(std::string_view record_key, StepFunction step,
                            Function<void(Result<Value>)> on_answer) {
  auto [ticket, completion] = Ask<Result<Value>>(std::move(on_answer));
  Run(Task<Value>{std::string(record_key), std::move(step), std::move(completion)});
  return std::move(ticket);
}

Ticket LocalClient::Begin(BeginRequest request, OnBegun on_begun) {
  auto [ticket, completion] = Ask<Result<BeginResult>>(std::move(on_begun));
  const StoreTime now = Now();
  if (state_.withdrawals.Holds(request.claim.token, now)) {
    Answer<Result<BeginResult>>(std::move(completion),
                                BeginResult{BeginResult::Kind::kWithdrawn, {}, now, {}});
    return std::move(ticket);
  }
  std::optional<LimitResult> verdict;
  if (request.limit) verdict = state_.limits.Count(*request.limit, now);
  if (verdict && !verdict->allowed) {
    Answer<Result<BeginResult>>(std::move(completion),
                                BeginResult{BeginResult::Kind::kLimited, {}, now, verdict});
    return std::move(ticket);
  }
  RunBegin(std::move(request), verdict, std::move(completion));
  return std::move(ticket);
}

Ticket LocalClient::Apply(const Transition& transition, OnApplied on_applied) {
  if (transition.kind == Transition::Kind::kWithdraw) {
    // The mark comes before the step, so that a begin that does not see the mark is itself seen by
    // the step.
    const StoreTime now = Now();
    state_.withdrawals.Mark(transition.claim.token, now + transition.claim.lease, now);
  }
  auto step = [transition](StoredRecord present, StoreTime now) {
    return store::Apply(transition, std::move(present), now);
  };
  return RunStep<TransitionResult>(transition.record_key, std::move(step), std::move(on_applied));
}

// No other step of this key runs beside the step, so that the second of two callers sees the mark
// of the first.
Ticket LocalClient::ReserveLookUp(const LookUpRequest& request, OnLookUpReserved on_reserved) {
  auto step = [this, token = request.token, pause = request.pause](StoredRecord present,
                                                                   StoreTime now) {
    LookUpStep made =
        store::ReserveLookUp(std::move(present), token, state_.look_ups.Find(token, now), now);
    const bool is_granted = made.answer.kind == LookUpReservation::Kind::kGranted;
    if (is_granted) state_.look_ups.Mark(token, now + pause, now);
    return made;
  };
  return RunStep<LookUpReservation>(request.record_key, std::move(step), std::move(on_reserved));
}

Ticket LocalClient::Read(std::string_view record_key, OnRead on_read) {
  return RunStep<ReadResult>(record_key, store::Read, std::move(on_read));
}

Ticket LocalClient::Count(const LimitRequest& request, OnCounted on_counted) {
  auto [ticket, completion] = Ask<Result<LimitResult>>(std::move(on_counted));
  Answer<Result<LimitResult>>(std::move(completion), state_.limits.Count(request, Now()));
  return std::move(ticket);
}

}  // namespace idem::store

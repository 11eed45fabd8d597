#include "proxy/exchange/claim/reconciliation.h"

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/exchange/claim/store_metrics.h"
#include "proxy/exchange/rules/forwarded_head.h"

namespace idem::exchange {

using idempotency::LookUpMeaning;

Reconciliation::Reconciliation(const ClaimContext& context, const Options& options,
                               ports::Upstream& upstream, const ProtectedRequest& request,
                               std::string_view record_key, OnOutcome on_outcome)
    : context_(context),
      options_(options),
      upstream_(upstream),
      request_(request),
      rule_(*request.policy->reconcile),
      record_key_(record_key),
      on_outcome_(std::move(on_outcome)) {}

void Reconciliation::Close() {
  step_ = Step::kIdle;
  question_.Withdraw();
  deadline_.Withdraw();
  DropCall();
}

void Reconciliation::Conclude(Outcome outcome) {
  step_ = Step::kIdle;
  on_outcome_(std::move(outcome));
}

void Reconciliation::StayUnknown(idempotency::Milliseconds retry_after) {
  Conclude({.kind = Outcome::Kind::kUnknown, .response = nullptr, .retry_after = retry_after});
}

// ---- The right to look up -----------------------------------------------------------------------

void Reconciliation::Start(const idempotency::Claim& unknown) {
  INVARIANT(step_ == Step::kIdle);
  step_ = Step::kReserving;
  unknown_ = unknown;
  waited_since_ = reserved_at_ = context_.loop.Now();
  question_ = context_.store.ReserveLookUp(
      {record_key_, unknown_.token, rule_.interval},
      [this](Result<ports::LookUpReservation> reservation) { OnReserved(std::move(reservation)); });
  deadline_ = context_.loop.After(options_.store_timeout, [this] {
    question_.Withdraw();
    OnReserved(Error{ErrorCode::kTimeout, "the store did not answer in time", Delivery::kNotSent});
  });
}

void Reconciliation::OnReserved(Result<ports::LookUpReservation> reservation) {
  deadline_.Withdraw();
  store_time_ += context_.loop.Now() - waited_since_;
  CountLookUpRight(context_.metrics, reservation);
  if (!reservation) return StayUnknown(rule_.interval);
  switch (reservation->kind) {
    case ports::LookUpReservation::Kind::kGranted:
      return LookUp();
    case ports::LookUpReservation::Kind::kTaken:
      return StayUnknown(reservation->retry_after);
    case ports::LookUpReservation::Kind::kChanged:
      break;
  }
  const bool is_free = !reservation->record.has_value();
  Conclude({.kind = is_free ? Outcome::Kind::kFree : Outcome::Kind::kHeld,
            .response = nullptr,
            .record = std::move(reservation->record),
            .now = reservation->now});
}

// ---- The look-up --------------------------------------------------------------------------------

// Our reservation lasts until `interval` after we asked for it, because the store's count began no
// earlier. A look-up that takes longer is dropped, so that there is never a second one beside it.
void Reconciliation::LookUp() {
  step_ = Step::kLookingUp;
  has_looked_up_ = true;
  waited_since_ = context_.loop.Now();
  response_ = {};
  address_.clear();
  const std::string target = idempotency::LookUpTarget(rule_, request_.key, request_.client);
  http::RequestHead head;
  BuildLookUpHead({.asker = request_.head,
                   .target = target,
                   .headers = rule_.headers,
                   .request_id = request_.request_id,
                   .client_id = request_.client},
                  head);
  call_ = upstream_.Send(head, nullptr, {.retry_stale = true}, *this);
  const Duration left = reserved_at_ + rule_.interval - waited_since_;
  deadline_ = context_.loop.After(std::max(left, Duration::zero()), [this] {
    OnLookedUp(
        {.response = nullptr, .reason = "the backend did not answer within reconcile.interval"});
  });
}

void Reconciliation::OnUpstreamHead(http::ResponseHead& head) {
  if (!response_.TakeHead(head, request_.policy->max_recorded_body)) OnResponse();
}

void Reconciliation::OnUpstreamBody(std::string_view bytes) {
  if (!response_.TakeBody(bytes, request_.policy->max_recorded_body)) OnResponse();
}

void Reconciliation::OnUpstreamEnd() {
  static_cast<void>(response_.TakeEnd(call_->announces_close()));
  OnResponse();
}

void Reconciliation::OnUpstreamFailure(const ports::UpstreamFailure& failure) {
  OnLookedUp({.response = nullptr, .reason = failure.detail});
}

void Reconciliation::OnResponse() {
  Finding finding;
  finding.meaning = DecideLookUp(rule_, {.status = response_.head.status,
                                         .whole = response_.complete && !response_.too_large,
                                         .body = response_.body});
  if (finding.meaning == LookUpMeaning::kFound) {
    auto stored = response_.MoveToStored(request_.policy->replay_drop);
    stored->status = rule_.found;
    finding.response = std::move(stored);
  } else if (finding.meaning == LookUpMeaning::kUnclear) {
    finding.reason = "the backend answered " + std::to_string(response_.head.status) +
                     (response_.too_large   ? ", larger than max_recorded_body"
                      : !response_.complete ? ", in a body that ended with its connection"
                      : response_.head.status / 100 == 2 ? ", without what found_when asks for"
                                                         : "");
  }
  OnLookedUp(std::move(finding));
}

// The call may be dropped inside its own event.
void Reconciliation::DropCall() {
  if (call_ == nullptr) return;
  address_ = call_->address();
  call_.reset();
}

void Reconciliation::OnLookedUp(Finding finding) {
  deadline_.Withdraw();
  DropCall();
  look_up_time_ += context_.loop.Now() - waited_since_;
  context_.metrics.Route(request_.route).CountLookUp(LookUpMeaningText(finding.meaning));
  switch (finding.meaning) {
    case LookUpMeaning::kFound:
      return RecordFound(finding.response);
    case LookUpMeaning::kAbsent:
      return Conclude(
          {.kind = Outcome::Kind::kAbsent, .response = nullptr, .token = unknown_.token});
    case LookUpMeaning::kUnclear:
      log::WriteLimited(log::Level::kWarn, "look_up_unclear",
                        {{"request_id", request_.request_id},
                         {"route", request_.route},
                         {"reason", finding.reason}});
      return StayUnknown(rule_.interval);
  }
}

// ---- The record ---------------------------------------------------------------------------------

// The response is recorded under the token that was looked up. A record that another token holds by
// now, or another response of this token, takes precedence.
void Reconciliation::RecordFound(
    const std::shared_ptr<const idempotency::StoredResponse>& response) {
  step_ = Step::kRecording;
  waited_since_ = context_.loop.Now();
  deadline_ = context_.loop.After(request_.policy->record_timeout, [this] {
    question_.Withdraw();
    store_time_ += context_.loop.Now() - waited_since_;
    StayUnknown(rule_.interval);
  });
  question_ = context_.settler.Settle(
      {.kind = ports::Transition::Kind::kComplete,
       .record_key = record_key_,
       .claim = unknown_,
       .response = response,
       .ttl = request_.policy->ttl},
      [this, response](const ports::TransitionResult& result) {
        deadline_.Withdraw();
        store_time_ += context_.loop.Now() - waited_since_;
        const bool is_held = result.record.has_value();
        Conclude({.kind = is_held ? Outcome::Kind::kHeld : Outcome::Kind::kRecorded,
                  .response = response,
                  .record = result.record,
                  .now = result.now});
      });
}

}  // namespace idem::exchange

#include "proxy/exchange/claim/key_claim.h"

#include <algorithm>
#include <utility>

#include "proxy/exchange/claim/store_metrics.h"
#include "proxy/idempotency/decision.h"
#include "proxy/idempotency/lease.h"

namespace idem::exchange {

using idempotency::ClaimEnding;
using idempotency::Decision;

namespace {

constexpr Duration kFirstPoll = std::chrono::milliseconds(25);
constexpr Duration kLongestPoll = std::chrono::milliseconds(250);
constexpr std::size_t kPendingSettlementsMax = 10'000;

}  // namespace

KeyClaim::KeyClaim(const ClaimContext& parts, const Options& options, ports::Upstream& upstream,
                   const ProtectedRequest& request, KeyClaimEvents& events)
    : parts_(parts),
      options_(options),
      upstream_(upstream),
      request_(request),
      events_(events),
      record_key_(RecordKeyFor(request)),
      claim_(ProposeClaim(request, parts.random)) {}

KeyClaim::~KeyClaim() { SetHolding(false); }

void KeyClaim::Enter(Step to) {
  INVARIANT(step_ != Step::kOver || to == Step::kOver);
  INVARIANT(to != Step::kSettling || step_ == Step::kHeld || (step_ == Step::kWaiting && outcome_));
  step_ = to;
}

void KeyClaim::SetHolding(bool holding) {
  if (holding_ == holding) return;
  holding_ = holding;
  parts_.metrics.claims_executing.Add(holding ? 1 : -1);
}

void KeyClaim::ClockStore() { store_time_ += parts_.loop.Now() - waited_since_; }

void KeyClaim::Close() {
  Enter(Step::kOver);
  question_.Withdraw();
  deadline_.Withdraw();
  wait_deadline_.Withdraw();
  place_.Leave();
  if (reconciliation_) reconciliation_->Close();
  SetHolding(false);
}

bool KeyClaim::Cut() {
  if (holding_) parts_.metrics.claims_cut.Add();
  return holding_;
}

bool KeyClaim::Abandon() {
  abandoned_ = true;
  if (outcome_) return false;  // it is offered again when the one that overtook it gives up
  return step_ == Step::kWaiting ||
         (step_ == Step::kReconciling && !reconciliation_->is_recording());
}

void KeyClaim::Describe(ports::RequestReport& report) const {
  report.record_key = record_key_;
  report.store = store_time_;
  report.mismatch_in = mismatch_in_;
  if (reconciliation_ == nullptr) return;
  report.store += reconciliation_->store_time();
  if (!reconciliation_->has_looked_up()) return;
  report.upstream += reconciliation_->look_up_time();
  if (!report.upstream_address.empty()) return;  // the request itself was forwarded after it
  report.upstream_address = reconciliation_->address();
  report.upstream_status = reconciliation_->status();
}

void KeyClaim::Refuse(const Reply& reply, RequestDecision verdict) {
  Close();
  events_.OnClaimRefused(reply, verdict);
}

void KeyClaim::LeaveAbandoned() {
  Close();
  events_.OnAbandoned();
}

// ---- Begin --------------------------------------------------------------------------------------

bool KeyClaim::may_begin() const {
  return parts_.unrecorded.bytes.load() < options_.max_unrecorded_bytes &&
         parts_.settler.pending() < kPendingSettlementsMax;
}

void KeyClaim::Take(std::optional<ports::LimitRequest> limit) {
  if (limit) limit->token = claim_.token;  // asked twice, it is counted once
  AskBegin(std::nullopt, std::move(limit));
}

void KeyClaim::AskBegin(std::optional<idempotency::Token> replaces,
                        std::optional<ports::LimitRequest> limit) {
  Enter(Step::kBeginning);
  waited_since_ = asked_at_ = parts_.loop.Now();
  question_ =
      parts_.store.Begin({record_key_, claim_, replaces, std::move(limit)},
                         [this](Result<ports::BeginResult> answer) { OnBegun(std::move(answer)); });
  deadline_ = parts_.loop.After(options_.store_timeout, [this] { OnStoreSilent(); });
}

void KeyClaim::OnBegun(Result<ports::BeginResult> answer) {
  if (!answer) return OnStoreSilent();
  deadline_.Withdraw();
  ClockStore();
  if (answer->limit) limit_verdict_ = answer->limit;
  CountBegin(parts_.metrics, answer->kind);
  switch (answer->kind) {
    case ports::BeginResult::Kind::kClaimed:
      return OnTaken();
    case ports::BeginResult::Kind::kHeld:
      return OnHeld(*answer->record, answer->now);
    case ports::BeginResult::Kind::kLimited:
      return Refuse(RateLimited(limit_verdict_->reset), RequestDecision::kRefused);
    case ports::BeginResult::Kind::kWithdrawn:
      return Refuse(StoreUnavailable(), RequestDecision::kFailed);
  }
}

void KeyClaim::OnStoreSilent() {
  CountBeginFailed(parts_.metrics);
  question_.Withdraw();
  ClockStore();
  Withdraw();
  Refuse(StoreUnavailable(), RequestDecision::kFailed);
}

// It is unknown whether the claim was made. It is withdrawn in the background, and never executes.
void KeyClaim::Withdraw() {
  parts_.settler.SettleInBackground({.kind = ports::Transition::Kind::kWithdraw,
                                     .record_key = record_key_,
                                     .claim = claim_,
                                     .response = nullptr});
}

// A client that left before its claim began gets no effect. The release needs no answer.
void KeyClaim::OnTaken() {
  Enter(Step::kHeld);
  SetHolding(true);
  place_.Leave();
  wait_deadline_.Withdraw();
  if (!abandoned_) return events_.OnClaimed();
  parts_.settler.SettleInBackground({.kind = ports::Transition::Kind::kRelease,
                                     .record_key = record_key_,
                                     .claim = claim_,
                                     .response = nullptr});
  parts_.waiters.WakeFirst(record_key_);
  events_.OnAbandoned();
}

bool KeyClaim::lease_covers_the_rest() const {
  const Duration left = idempotency::LeaseEnd(asked_at_, claim_.lease) - parts_.loop.Now();
  return idempotency::MaySend(claim_.lease, left, upstream_.response_timeout(),
                              {.store_timeout = options_.store_timeout,
                               .longest_wait = upstream_.longest_wait(),
                               .record_timeout = request_.policy->record_timeout});
}

// ---- What the key holds -------------------------------------------------------------------------

void KeyClaim::OnHeld(const idempotency::Record& record, StoreTime now) {
  const Decision decision = idempotency::Decide(
      *request_.policy, RequestIdentityFor(request_, claim_, record), record, now);
  const bool others_may_wait = place_.held() || outcome_;
  if (decision != Decision::kInProgress && others_may_wait) parts_.waiters.WakeAll(record_key_);
  switch (decision) {
    case Decision::kExecute:
      return OnTaken();
    case Decision::kTakeOver:
      if (outcome_) break;  // our own effect was made, and is not made again
      return AskBegin(record.claim.token, std::nullopt);
    case Decision::kReplay:
      Close();
      return events_.OnReplay(*record.response, RequestDecision::kReplayed);
    case Decision::kNotKept:
      return Refuse(ResponseNotKept(record.response->status), RequestDecision::kReplayed);
    case Decision::kMismatch:
      if (!outcome_) {
        mismatch_in_ = MismatchIn(request_, record.claim);
        return Refuse(PayloadMismatch(request_.policy->mismatch_status, record, now, mismatch_in_),
                      RequestDecision::kMismatch);
      }
      Close();
      return events_.OnUnrecorded();  // the record is of another request
    case Decision::kInProgress:
      return Wait();
    case Decision::kReconcile:
      return Reconcile(record, now);
    case Decision::kUnknown:
      break;
  }
  Refuse(OutcomeUnknown(request_.policy->unknown_status, std::nullopt), RequestDecision::kUnknown);
}

// Another claim executes. The first waiter of a key asks the store with growing pauses; it wakes
// the others.
void KeyClaim::Wait() {
  if (abandoned_ && !outcome_) return LeaveAbandoned();
  const idempotency::Policy& policy = *request_.policy;
  const bool first_time = !place_.held();
  if (first_time && policy.in_progress == idempotency::InProgress::kWait) {
    place_ = parts_.waiters.Join(record_key_, *this, parts_.loop, policy.max_waiters_per_key,
                                 request_.body.size());
  }
  if (!place_.held()) {
    return Refuse(InProgress(policy.in_progress_status), RequestDecision::kInProgress);
  }
  Enter(Step::kWaiting);
  if (first_time) {
    next_poll_ = kFirstPoll;
    wait_deadline_ = parts_.loop.After(policy.wait_timeout, [this] { OnWaitOver(); });
  }
  if (!place_.is_first()) return;
  deadline_ = parts_.loop.After(next_poll_, [this] { OnWoken(); });
  next_poll_ = std::min(next_poll_ * 2, kLongestPoll);
}

void KeyClaim::OnWoken() {
  if (step_ != Step::kWaiting) return;
  deadline_.Withdraw();
  if (outcome_) return Settle();  // our effect was made: record it, and never execute again
  AskBegin(std::nullopt, std::nullopt);
}

void KeyClaim::OnWaitOver() {
  question_.Withdraw();
  if (step_ == Step::kBeginning) Withdraw();
  Refuse(InProgress(request_.policy->in_progress_status), RequestDecision::kInProgress);
}

// ---- Reconcile ----------------------------------------------------------------------------------

void KeyClaim::Reconcile(const idempotency::Record& record, StoreTime now) {
  if (!HasLookUpTarget(*request_.policy->reconcile, request_.key, request_.client)) {
    return Refuse(OutcomeUnknown(request_.policy->unknown_status, std::nullopt),
                  RequestDecision::kUnknown);
  }
  if (abandoned_) return LeaveAbandoned();
  const idempotency::Milliseconds wait = UntilLookUp(*request_.policy, record, now);
  if (wait > idempotency::Milliseconds::zero() || outcome_) return StayUnknown(wait);
  Enter(Step::kReconciling);
  place_.Leave();
  wait_deadline_.Withdraw();
  if (reconciliation_ == nullptr) {
    reconciliation_ = std::make_unique<Reconciliation>(
        parts_, options_, upstream_, request_, record_key_,
        [this](Reconciliation::Outcome outcome) { OnReconciled(std::move(outcome)); });
  }
  reconciliation_->Start(record.claim);
}

void KeyClaim::OnReconciled(Reconciliation::Outcome outcome) {
  switch (outcome.kind) {
    case Reconciliation::Outcome::Kind::kRecorded:
      parts_.waiters.WakeAll(record_key_);
      Close();
      return events_.OnReplay(*outcome.response, RequestDecision::kReconciled);
    case Reconciliation::Outcome::Kind::kHeld:
      return OnHeld(*outcome.record, outcome.now);
    case Reconciliation::Outcome::Kind::kFree:
      return AskBegin(std::nullopt, std::nullopt);
    case Reconciliation::Outcome::Kind::kAbsent:
      return AskBegin(outcome.token, std::nullopt);
    case Reconciliation::Outcome::Kind::kUnknown:
      return StayUnknown(outcome.retry_after);
  }
}

void KeyClaim::StayUnknown(idempotency::Milliseconds look_up_in) {
  Refuse(OutcomeUnknown(request_.policy->unknown_status, look_up_in), RequestDecision::kUnknown);
}

std::optional<idempotency::Milliseconds> KeyClaim::look_up_in() const {
  const auto& rule = request_.policy->reconcile;
  if (!rule || !HasLookUpTarget(*rule, request_.key, request_.client)) return std::nullopt;
  const Duration lease_left = std::max<Duration>(
      idempotency::LeaseEnd(asked_at_, claim_.lease) - parts_.loop.Now(), Duration::zero());
  return std::chrono::ceil<idempotency::Milliseconds>(lease_left) + rule->after;
}

// ---- The end ------------------------------------------------------------------------------------

void KeyClaim::End(ClaimEnding ending, std::shared_ptr<const idempotency::StoredResponse> outcome) {
  ending_ = ending;
  outcome_ = std::move(outcome);
  INVARIANT((ending_ == ClaimEnding::kRecord) == (outcome_ != nullptr));
  Settle();
}

void KeyClaim::Settle() {
  Enter(Step::kSettling);
  waited_since_ = parts_.loop.Now();
  deadline_ = parts_.loop.After(request_.policy->record_timeout, [this] { OnRecordTimeout(); });
  question_ = parts_.settler.Settle(
      {.kind = ports::Transition::KindOf(ending_),
       .record_key = record_key_,
       .claim = claim_,
       .response = outcome_,
       .ttl = request_.policy->ttl},
      [this](const ports::TransitionResult& answer) { OnSettled(answer); },
      overtaken_ ? SettlementRetrier::Offer::kAgain : SettlementRetrier::Offer::kFirst);
}

void KeyClaim::OnSettled(const ports::TransitionResult& answer) {
  deadline_.Withdraw();
  ClockStore();
  SetHolding(false);
  // An overtaken claim has not ended, so it wakes no waiter, and not itself.
  overtaken_ = outcome_ && answer.kind == ports::TransitionResult::Kind::kHeld;
  if (overtaken_) return OnHeld(*answer.record, answer.now);
  if (ending_ == ClaimEnding::kRelease) {
    parts_.waiters.WakeFirst(record_key_);
  } else {
    parts_.waiters.WakeAll(record_key_);
  }
  Close();
  events_.OnEnded();
}

// The settler continues until the store answers.
void KeyClaim::OnRecordTimeout() {
  question_.Withdraw();
  ClockStore();
  SetHolding(false);
  Close();
  if (outcome_) {
    events_.OnUnrecorded();
  } else {
    events_.OnEnded();
  }
}

}  // namespace idem::exchange

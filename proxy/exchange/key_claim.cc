#include "proxy/exchange/key_claim.h"

#include <algorithm>
#include <utility>

#include "proxy/exchange/store_counts.h"
#include "proxy/idempotency/decide.h"

namespace idem::exchange {

using idempotency::Decision;
using idempotency::Ending;

namespace {

constexpr Duration kFirstPoll = std::chrono::milliseconds(25);
constexpr Duration kLongestPoll = std::chrono::milliseconds(250);
constexpr std::size_t kPendingSettlementsMax = 10'000;

Settlement::Kind KindOf(Ending ending) {
  switch (ending) {
    case Ending::kRecord:
      return Settlement::Kind::kComplete;
    case Ending::kRelease:
      return Settlement::Kind::kRelease;
    case Ending::kUnknown:
      break;
  }
  return Settlement::Kind::kMarkUnknown;
}

}  // namespace

KeyClaim::KeyClaim(const Parts& parts, const Options& options, const ProtectedRequest& request,
                   std::string_view key, KeyClaimEvents& events)
    : parts_(parts),
      options_(options),
      request_(request),
      events_(events),
      record_key_(RecordKeyFor(request, key)),
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
}

bool KeyClaim::Abandon() {
  abandoned_ = true;
  return step_ == Step::kWaiting;
}

void KeyClaim::Refuse(const Reply& reply, Verdict verdict) {
  Close();
  events_.OnClaimRefused(reply, verdict);
}

// ---- Begin --------------------------------------------------------------------------------------

bool KeyClaim::may_begin() const {
  return parts_.unrecorded.bytes.load() < options_.max_unrecorded_bytes &&
         parts_.settler.pending() < kPendingSettlementsMax;
}

void KeyClaim::Take(std::optional<LimitQuestion> limit) {
  if (limit) limit->token = claim_.token;  // asked twice, it is counted once
  AskBegin(std::nullopt, std::move(limit));
}

void KeyClaim::AskBegin(std::optional<idempotency::Token> replaces,
                        std::optional<LimitQuestion> limit) {
  Enter(Step::kBeginning);
  waited_since_ = asked_at_ = parts_.loop.Now();
  question_ =
      parts_.store.Begin({record_key_, claim_, replaces, std::move(limit)},
                         [this](Result<BeginAnswer> answer) { OnBegun(std::move(answer)); });
  deadline_ = parts_.loop.After(options_.store_timeout, [this] { OnStoreSilent(); });
}

void KeyClaim::OnBegun(Result<BeginAnswer> answer) {
  if (!answer) return OnStoreSilent();
  deadline_.Withdraw();
  ClockStore();
  if (answer->limit) limit_verdict_ = answer->limit;
  CountBegin(parts_.metrics, answer->kind);
  switch (answer->kind) {
    case BeginAnswer::Kind::kClaimed:
      return OnTaken();
    case BeginAnswer::Kind::kHeld:
      return OnHeld(*answer->record, answer->now);
    case BeginAnswer::Kind::kLimited:
      return Refuse(RateLimited(limit_verdict_->reset), Verdict::kRefused);
    case BeginAnswer::Kind::kWithdrawn:
      return Refuse(StoreUnavailable(), Verdict::kFailed);
  }
}

void KeyClaim::OnStoreSilent() {
  CountBeginFailed(parts_.metrics);
  question_.Withdraw();
  ClockStore();
  Withdraw();
  Refuse(StoreUnavailable(), Verdict::kFailed);
}

// Not known whether the claim was made: it is taken back in the background, and will not execute.
void KeyClaim::Withdraw() {
  parts_.settler.SettleInBackground({.kind = Settlement::Kind::kWithdraw,
                                     .record_key = record_key_,
                                     .claim = claim_,
                                     .response = nullptr});
}

// A client that left before its claim began gets no effect, and nobody waits for the release.
void KeyClaim::OnTaken() {
  Enter(Step::kHeld);
  SetHolding(true);
  place_.Leave();
  wait_deadline_.Withdraw();
  if (!abandoned_) return events_.OnClaimed();
  parts_.settler.SettleInBackground({.kind = Settlement::Kind::kRelease,
                                     .record_key = record_key_,
                                     .claim = claim_,
                                     .response = nullptr});
  parts_.waiters.WakeFirst(record_key_);
  events_.OnAbandoned();
}

bool KeyClaim::lease_covers_the_rest(const UpstreamSlot& slot) const {
  // A lease that was configured shorter than all waits together cannot cover them; it must at least
  // not be over.
  const Duration left = asked_at_ + claim_.lease - parts_.loop.Now();
  const Duration all = slot.upstream->longest_wait() + request_.policy->record_timeout;
  const Duration rest = slot.response_timeout + request_.policy->record_timeout;
  return claim_.lease >= all ? left >= rest : left > Duration::zero();
}

// ---- What the key holds -------------------------------------------------------------------------

void KeyClaim::OnHeld(const idempotency::Record& record, StoreTime now) {
  const Decision decision =
      idempotency::Decide(*request_.policy, QuestionFor(request_, claim_, record), record, now);
  if (decision != Decision::kInProgress && place_.held()) parts_.waiters.WakeAll(record_key_);
  switch (decision) {
    case Decision::kExecute:
      return OnTaken();
    case Decision::kTakeOver:
      if (outcome_) break;  // our own effect is made; it is not made again
      return AskBegin(record.claim.token, std::nullopt);
    case Decision::kReplay:
      Close();
      return events_.OnReplay(*record.response);
    case Decision::kNotKept:
      return Refuse(ResponseNotKept(record.response->status), Verdict::kReplayed);
    case Decision::kMismatch:
      if (outcome_) return Close(), events_.OnEnded();
      return Refuse(PayloadMismatch(request_.policy->mismatch_status), Verdict::kMismatch);
    case Decision::kInProgress:
      return Wait();
    case Decision::kReconcile:
    case Decision::kUnknown:
      break;
  }
  Refuse(OutcomeUnknown(), Verdict::kUnknown);
}

// Somebody else executes. The first waiter of a key asks the store with growing pauses, the others
// are woken.
void KeyClaim::Wait() {
  if (abandoned_) return Close(), events_.OnAbandoned();
  const idempotency::Policy& policy = *request_.policy;
  const bool first_time = !place_.held();
  if (first_time && policy.in_progress == idempotency::InProgress::kWait) {
    place_ = parts_.waiters.Join(record_key_, *this, parts_.loop, policy.max_waiters_per_key,
                                 request_.body.size());
  }
  if (!place_.held()) return Refuse(InProgress(), Verdict::kInProgress);
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
  // Our effect is made: ask to record it, never to execute.
  outcome_ ? Settle() : AskBegin(std::nullopt, std::nullopt);
}

void KeyClaim::OnWaitOver() {
  question_.Withdraw();
  if (step_ == Step::kBeginning) Withdraw();
  Refuse(InProgress(), Verdict::kInProgress);
}

// ---- The end ------------------------------------------------------------------------------------

void KeyClaim::End(Ending ending, std::shared_ptr<const idempotency::StoredResponse> outcome) {
  ending_ = ending;
  outcome_ = std::move(outcome);
  INVARIANT((ending_ == Ending::kRecord) == (outcome_ != nullptr));
  Settle();
}

void KeyClaim::Settle() {
  Enter(Step::kSettling);
  waited_since_ = parts_.loop.Now();
  deadline_ = parts_.loop.After(request_.policy->record_timeout, [this] { OnRecordTimeout(); });
  question_ = parts_.settler.Settle({.kind = KindOf(ending_),
                                     .record_key = record_key_,
                                     .claim = claim_,
                                     .response = outcome_,
                                     .ttl = request_.policy->ttl},
                                    [this](const SettleAnswer& answer) { OnSettled(answer); });
}

void KeyClaim::OnSettled(const SettleAnswer& answer) {
  deadline_.Withdraw();
  ClockStore();
  SetHolding(false);
  if (ending_ == Ending::kRelease) {
    parts_.waiters.WakeFirst(record_key_);
  } else {
    parts_.waiters.WakeAll(record_key_);
  }
  if (outcome_ && answer.kind == SettleAnswer::Kind::kHeld) {
    return OnHeld(*answer.record, answer.now);
  }
  Close();
  events_.OnEnded();
}

// The settler goes on until the store answers.
void KeyClaim::OnRecordTimeout() {
  question_.Withdraw();
  ClockStore();
  SetHolding(false);
  Close();
  outcome_ ? events_.OnUnrecorded() : events_.OnEnded();
}

}  // namespace idem::exchange

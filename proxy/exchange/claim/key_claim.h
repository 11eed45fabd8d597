// One request's claim on its key, from `begin` to the record of its outcome. It alone asks the
// store for records on behalf of an exchange, and tells the exchange what may be done.
//
//                  held, and executing                   its turn to ask, or woken
//   Take() ──▶ kBeginning ─────────────────▶ kWaiting ──────────────────▶ kBeginning
//                │  └─ held otherwise: OnReplay(), OnClaimRefused()
//                ▼ OnClaimed()
//              kHeld ── the exchange executes; End() ──▶ kSettling ──▶ OnEnded(), OnUnrecorded()
//                                                          │   ▲
//                              another token executes      ▼   │ it gave up
//                                                        kWaiting ──▶ OnReplay()
//
// A claim that executed once never executes again: `outcome_` is there from then on.
//
// With `reconcile`, a key that is held by an unknown claim leads to the backend instead of to
// OnClaimRefused(), not before the time and for one asker at a time:
//
//   kBeginning ──▶ kAskingRight ──▶ kLookingUp ── found ──▶ kRecordingFound ──▶ OnReplay()
//        ▲                              └── absent: begin, replacing the unknown claim
//        └──────────────────────────────────┘
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/exchange/claim/claim_context.h"
#include "proxy/exchange/claim/claim_options.h"
#include "proxy/exchange/claim/reconciliation.h"
#include "proxy/exchange/rules/problem_replies.h"
#include "proxy/exchange/rules/protected_request.h"
#include "proxy/idempotency/policy.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/request_report.h"
#include "proxy/ports/upstream.h"

namespace idem::exchange {

using telemetry::RequestDecision;

/// Told to the exchange on its loop, never from inside a call that it made. Each but OnClaimed()
/// is the end of the claim.
class KeyClaimEvents {
 public:
  virtual ~KeyClaimEvents() = default;
  /// The claim is ours and durable: the request may be executed, and then End() is called.
  virtual void OnClaimed() = 0;
  /// What the key holds is the answer to this request: kReplayed, or kReconciled where it was
  /// looked up for it.
  virtual void OnReplay(const idempotency::StoredResponse& response, RequestDecision verdict) = 0;
  /// The request is not executed, or its effect cannot be told from another's.
  virtual void OnClaimRefused(const Reply& reply, RequestDecision verdict) = 0;
  /// The outcome that was given to End() is in the store, and is the caller's answer.
  virtual void OnEnded() = 0;
  /// The same, but the store has not taken it within record_timeout; it is offered on.
  virtual void OnUnrecorded() = 0;
  /// After Abandon(): nothing is under way any more.
  virtual void OnAbandoned() = 0;
};

/// Part of an exchange, which keeps the request and the policy that it is made of.
class KeyClaim final : public KeyWaiter {
 public:
  KeyClaim(const ClaimContext& parts, const Options& options, ports::Upstream& upstream,
           const ProtectedRequest& request, KeyClaimEvents& events);
  ~KeyClaim() override;
  KeyClaim(const KeyClaim&) = delete;
  KeyClaim& operator=(const KeyClaim&) = delete;

  /// What the store counted beside the begin, where it was asked to.
  [[nodiscard]] const std::optional<ports::LimitResult>& limit_verdict() const {
    return limit_verdict_;
  }
  /// What it adds to what is told at the end; the views are good as long as this.
  void Describe(ports::RequestReport& report) const;
  /// When sending the request again may settle an outcome that becomes unknown now; null: never.
  [[nodiscard]] std::optional<idempotency::Milliseconds> look_up_in() const;

  /// False where so much waits for the store that no new claim may be made.
  [[nodiscard]] bool may_begin() const;
  /// Asks for the key. `limit` is counted in the same step.
  void Take(std::optional<ports::LimitRequest> limit);
  /// Whether the lease still covers the waits that remain, just before the first byte is written.
  [[nodiscard]] bool lease_covers_the_rest() const;
  /// The end of a claim that is held. `outcome` is what is recorded, null with another ending.
  void End(idempotency::ClaimEnding ending,
           std::shared_ptr<const idempotency::StoredResponse> outcome);

  /// The client has gone. True: nothing is under way, and nobody needs this claim any more. False:
  /// it is brought to its end first, an effect that was overtaken among them; what comes is told as
  /// if the client were there, but a claim that was only begun is released and told by
  /// OnAbandoned().
  [[nodiscard]] bool Abandon();
  /// The process ends: whether the claim was executing, and its outcome is not in the store. It is
  /// counted, and becomes unknown there when its lease ends.
  [[nodiscard]] bool Cut();
  /// Asks and waits for nothing any more. What the settler has goes on.
  void Close();

 private:
  enum class Step : std::uint8_t {
    kIdle,
    kBeginning,
    kWaiting,
    kAskingRight,
    kLookingUp,
    kRecordingFound,
    kHeld,
    kSettling,
    kOver
  };
  void Enter(Step to);

  void AskBegin(std::optional<idempotency::Token> replaces,
                std::optional<ports::LimitRequest> limit);
  void OnBegun(Result<ports::BeginResult> answer);
  void OnStoreSilent();
  void Withdraw();
  void OnTaken();
  void OnHeld(const idempotency::Record& record, StoreTime now);
  void Wait();
  void OnWoken() override;
  void OnWaitOver();

  void Reconcile(const idempotency::Record& record, StoreTime now);
  void OnRight(Result<ports::LookUpReservation> answer);
  void StartLookUp();
  void OnLookedUp(Reconciliation::Result result);
  void RecordFound(const std::shared_ptr<const idempotency::StoredResponse>& response);
  void StayUnknown(idempotency::Milliseconds look_up_in);

  void Settle();
  void OnSettled(const ports::TransitionResult& answer);
  void OnRecordTimeout();
  void Refuse(const Reply& reply, RequestDecision verdict);
  void LeaveAbandoned();
  void SetHolding(bool holding);
  void ClockStore();

  const ClaimContext& parts_;
  const Options& options_;
  ports::Upstream& upstream_;
  const ProtectedRequest request_;
  KeyClaimEvents& events_;
  Step step_ = Step::kIdle;
  bool abandoned_ = false;

  std::string record_key_;
  idempotency::Claim claim_;
  bool holding_ = false;  // the store holds our claim, and its end has not been handed to it
  BootTime asked_at_{};   // of the begin: the lease is counted from here, the store's is no earlier
  std::optional<ports::LimitResult> limit_verdict_;

  KeyWaitQueue::Seat place_;
  Duration next_poll_{};

  idempotency::Claim unknown_;  // whose effect is looked up
  BootTime right_asked_at_{};   // from which the right to do so is counted
  std::unique_ptr<Reconciliation> look_up_;

  idempotency::ClaimEnding ending_ = idempotency::ClaimEnding::kRelease;
  std::shared_ptr<const idempotency::StoredResponse> outcome_;  // of an effect that we made
  std::string mismatch_in_;  // of a request that met another's record: MismatchIn()
  bool overtaken_ = false;   // it was refused, because another token held the key

  // One open question and a deadline beside it; and the whole wait's.
  Ticket question_;
  Ticket deadline_;
  Ticket wait_deadline_;
  BootTime waited_since_{};
  Duration store_time_{};
  Duration look_up_time_{};
};

}  // namespace idem::exchange

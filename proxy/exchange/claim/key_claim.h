// One request's claim on its key, from `begin` to the record of its outcome. It sends all requests
// of an exchange to the record store, and reports to the exchange what it may do.
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
// A claim that executed once never executes again: `outcome_` is set from then on.
//
// With `reconcile`, an unknown claim under the key leads to the backend instead of to
// OnClaimRefused(), once its time has come (reconciliation.h):
//
//   kBeginning ──▶ kReconciling ── recorded ──▶ OnReplay()
//        ▲              └── absent: begin, replacing the unknown claim
//        └──────────────────┘
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

/// Called on the exchange's loop, never from inside a call that the exchange made. Each call except
/// OnClaimed() is the end of the claim.
class KeyClaimEvents {
 public:
  virtual ~KeyClaimEvents() = default;
  /// The claim is ours and durable: the request may be executed; the exchange then calls End().
  virtual void OnClaimed() = 0;
  /// The record under the key answers this request: kReplayed, or kReconciled if this request had
  /// it looked up.
  virtual void OnReplay(const idempotency::StoredResponse& response, RequestDecision verdict) = 0;
  /// The request is not executed, or its effect cannot be distinguished from another one.
  virtual void OnClaimRefused(const Reply& reply, RequestDecision verdict) = 0;
  /// The outcome that was given to End() is in the store, and is the caller's answer.
  virtual void OnEnded() = 0;
  /// The same, but the store has not taken the outcome within record_timeout. The settler
  /// continues.
  virtual void OnUnrecorded() = 0;
  /// After Abandon(): no request is under way any more.
  virtual void OnAbandoned() = 0;
};

/// Part of an exchange, which keeps the request and its policy.
class KeyClaim final : public KeyWaiter {
 public:
  KeyClaim(const ClaimContext& parts, const Options& options, ports::Upstream& upstream,
           const ProtectedRequest& request, KeyClaimEvents& events);
  ~KeyClaim() override;
  KeyClaim(const KeyClaim&) = delete;
  KeyClaim& operator=(const KeyClaim&) = delete;

  /// Returns the result of the limit that was counted with the begin, null if none was.
  [[nodiscard]] const std::optional<ports::LimitResult>& limit_verdict() const {
    return limit_verdict_;
  }
  /// Fills in its part of the report; the views in it live as long as this.
  void Describe(ports::RequestReport& report) const;
  /// Returns when a retry may settle an outcome that becomes unknown now; null: never.
  [[nodiscard]] std::optional<idempotency::Milliseconds> look_up_in() const;

  /// Returns false if too many outcomes wait for the store to make a new claim.
  [[nodiscard]] bool may_begin() const;
  /// Claims the key. `limit` is counted in the same step.
  void Take(std::optional<ports::LimitRequest> limit);
  /// Whether the lease still covers the waits that remain, just before the first byte is written.
  [[nodiscard]] bool lease_covers_the_rest() const;
  /// Ends a claim that is held. `outcome` is the response to record, null with another ending.
  void End(idempotency::ClaimEnding ending,
           std::shared_ptr<const idempotency::StoredResponse> outcome);

  /// The client has gone. Returns true if the claim can be dropped now. Returns false if it must be
  /// settled first, which includes an effect that was overtaken. The events are then the same as
  /// with the client, except that a claim that was only begun is released and ends with
  /// OnAbandoned().
  [[nodiscard]] bool Abandon();
  /// The process ends. Returns true if the claim is executing and its outcome is not in the store.
  /// Such a claim is counted; it becomes unknown in the store when its lease ends.
  [[nodiscard]] bool Cut();
  /// Withdraws all requests and waits. The settler continues with the transitions that it has.
  void Close();

 private:
  enum class Step : std::uint8_t {
    kIdle,
    kBeginning,
    kWaiting,
    kReconciling,
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
  void OnReconciled(Reconciliation::Outcome outcome);
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
  bool holding_ = false;  // the store has our claim, and was not sent the claim's end
  BootTime asked_at_{};  // of the begin: our count of the lease begins here, the store's no earlier
  std::optional<ports::LimitResult> limit_verdict_;

  KeyWaitQueue::Seat place_;
  Duration next_poll_{};

  std::unique_ptr<Reconciliation> reconciliation_;  // null until the first one

  idempotency::ClaimEnding ending_ = idempotency::ClaimEnding::kRelease;
  std::shared_ptr<const idempotency::StoredResponse> outcome_;  // of our own effect
  std::string mismatch_in_;  // how the request differs from the record: MismatchIn()
  bool overtaken_ = false;   // the store refused it, because another token held the key

  // One open question and a deadline beside it; and the whole wait's.
  Ticket question_;
  Ticket deadline_;
  Ticket wait_deadline_;
  BootTime waited_since_{};
  Duration store_time_{};
};

}  // namespace idem::exchange

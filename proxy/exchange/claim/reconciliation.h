// Finds out at the backend what became of an unknown claim (semantics.md, "Reconcile"), for one
// process at a time:
//
//   Start() ──▶ kReserving ──▶ kLookingUp ── found ──▶ kRecording ──▶ kRecorded
//                    │              ├── absent ──▶ kAbsent
//                    │              └── unclear ─▶ kUnknown
//                    └── taken: kUnknown; the record has changed: kHeld, kFree
//
// The look-up is a GET of its own, on a call of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/function.h"
#include "proxy/exchange/claim/buffered_response.h"
#include "proxy/exchange/claim/claim_context.h"
#include "proxy/exchange/claim/claim_options.h"
#include "proxy/exchange/rules/protected_request.h"
#include "proxy/idempotency/look_up_rules.h"
#include "proxy/ports/upstream.h"

namespace idem::exchange {

/// Part of a key claim, which keeps the request. Its policy reconciles. Dropping it withdraws all
/// requests.
class Reconciliation final : public ports::UpstreamEvents {
 public:
  struct Outcome {
    enum class Kind : std::uint8_t {
      kRecorded,  // the effect was found, and `response` is in the store
      kHeld,      // the key has another record now, or another response: `record`
      kFree,      // the key became free
      kAbsent,    // the effect was not made: the claim with `token` may be replaced
      kUnknown,   // the outcome stays unknown; ask again after `retry_after`
    };
    Kind kind = Kind::kUnknown;
    std::shared_ptr<const idempotency::StoredResponse> response{};
    std::optional<idempotency::Record> record{};
    StoreTime now{};  // kHeld
    idempotency::Token token{};
    idempotency::Milliseconds retry_after{};
  };
  using OnOutcome = Function<void(Outcome)>;

  /// `on_outcome` is called once after each Start(), on a later turn.
  Reconciliation(const ClaimContext& context, const Options& options, ports::Upstream& upstream,
                 const ProtectedRequest& request, std::string_view record_key,
                 OnOutcome on_outcome);
  Reconciliation(const Reconciliation&) = delete;
  Reconciliation& operator=(const Reconciliation&) = delete;

  /// Reconciles `unknown`, the claim of the record under the key. Requires that none is under way.
  void Start(const idempotency::Claim& unknown);
  /// Withdraws all requests; no outcome comes. A response that is being recorded is still recorded.
  void Close();

  /// Returns true from when the effect was found until it is recorded.
  [[nodiscard]] bool is_recording() const { return step_ == Step::kRecording; }

  // What the access line reports of it.
  [[nodiscard]] bool has_looked_up() const { return has_looked_up_; }
  [[nodiscard]] std::uint16_t status() const { return response_.head.status; }  // 0: no response
  [[nodiscard]] std::string_view address() const { return address_; }
  [[nodiscard]] Duration look_up_time() const { return look_up_time_; }
  [[nodiscard]] Duration store_time() const { return store_time_; }

 private:
  enum class Step : std::uint8_t { kIdle, kReserving, kLookingUp, kRecording };
  struct Finding {
    idempotency::LookUpMeaning meaning = idempotency::LookUpMeaning::kUnclear;
    std::shared_ptr<const idempotency::StoredResponse> response{};  // kFound
    std::string reason{};  // kUnclear: for the log; may name the backend's address
  };

  void OnReserved(Result<ports::LookUpReservation> reservation);
  void LookUp();
  void OnLookedUp(Finding finding);
  void RecordFound(const std::shared_ptr<const idempotency::StoredResponse>& response);
  void StayUnknown(idempotency::Milliseconds retry_after);
  void Conclude(Outcome outcome);

  bool OnUpstreamReady() override { return true; }
  void OnUpstreamInterim(const http::ResponseHead&) override {}
  void OnUpstreamHead(http::ResponseHead& head) override;
  void OnUpstreamBody(std::string_view bytes) override;
  void OnUpstreamEnd() override;
  void OnUpstreamFailure(const ports::UpstreamFailure& failure) override;
  void OnResponse();
  void DropCall();

  const ClaimContext& context_;
  const Options& options_;
  ports::Upstream& upstream_;
  const ProtectedRequest& request_;
  const idempotency::ReconcileRule& rule_;
  const std::string record_key_;
  OnOutcome on_outcome_;
  Step step_ = Step::kIdle;

  idempotency::Claim unknown_;
  BootTime reserved_at_{};  // from which our reservation is counted
  BufferedResponse response_;
  std::string address_;
  std::unique_ptr<ports::UpstreamCall> call_;
  bool has_looked_up_ = false;

  // One open question and a deadline beside it.
  Ticket question_;
  Ticket deadline_;
  BootTime waited_since_{};
  Duration store_time_{};
  Duration look_up_time_{};
};

}  // namespace idem::exchange

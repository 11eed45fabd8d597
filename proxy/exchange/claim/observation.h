// `mode: observe`: finds out what enforcing would have done with a request, beside the exchange and
// without delaying it (semantics.md, "Changing the configuration").
//
//   Observation ──▶ kBeginning ──▶ kBegun ── End() ──▶ kSettling ──▶ kOver
//                       └─ held, or the store fails ──────────────────┘
//
// It begins and ends claims as enforcing would, in a namespace of its own and without the bodies of
// responses, so that later requests are compared with earlier ones. It fails open: each store
// request is sent once, and a failed one costs only the accuracy of a later verdict.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/exchange/claim/claim_context.h"
#include "proxy/exchange/claim/claim_options.h"
#include "proxy/exchange/rules/protected_request.h"
#include "proxy/idempotency/claim_ending.h"
#include "proxy/idempotency/key.h"
#include "proxy/ports/request_report.h"
#include "proxy/ports/transition.h"

namespace idem::exchange {

/// Part of an exchange, which keeps the request.
class Observation {
 public:
  /// Calls `on_over` once at the end, but not if the observation was over when End() returned.
  Observation(const ClaimContext& parts, const Options& options, const ProtectedRequest& request,
              Function<void()> on_over)
      : parts_(parts), options_(options), request_(request), on_over_(std::move(on_over)) {}

  /// `key` is the parsed field of the request. Without its whole body a request has no fingerprint.
  void Start(const idempotency::KeyResult& key, bool has_whole_body);

  /// Called when the request was forwarded, with the upstream's result.
  void End(const idempotency::UpstreamResult& seen);
  [[nodiscard]] bool over() const { return step_ == Step::kOver; }

  /// Fills in the record key and `would`, which is "executed", "replayed", "mismatch",
  /// "in_progress", "unknown", "key_missing", "key_invalid", "passed" (no key, and none is
  /// required), "too_large" or "store_failed". The views live as long as this.
  void Describe(ports::RequestReport& report) const;

 private:
  enum class Step : std::uint8_t { kIdle, kBeginning, kBegun, kSettling, kOver };
  void Skip(std::string_view would);
  void AskBegin(std::optional<idempotency::Token> replaces);
  void OnBegun(Result<ports::BeginResult> answer);
  void OnHeld(const idempotency::Record& record, StoreTime now);
  void OnClaimed();
  void Settle(ports::Transition::Kind kind);
  void Leave();

  const ClaimContext& parts_;
  const Options& options_;
  const ProtectedRequest request_;
  Function<void()> on_over_;
  Step step_ = Step::kIdle;
  std::string record_key_;
  std::string observed_key_;  // record_key_ in the namespace of observations
  idempotency::Claim claim_;
  std::string_view would_;
  std::string mismatch_in_;
  std::optional<idempotency::UpstreamResult> seen_;
  Ticket question_;
  Ticket deadline_;
};

}  // namespace idem::exchange

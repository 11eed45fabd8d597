// `mode: observe`: what enforcing would have done with a request, found out beside its way and
// never on it (semantics.md, "Changing the configuration").
//
//   Observation ──▶ kBeginning ──▶ kBegun ── End() ──▶ kSettling ──▶ kOver
//                       └─ held, or the store fails ──────────────────┘
//
// It begins and ends claims as enforcing would, in a namespace of its own and without the
// responses' bodies, so that later requests are judged by it. It fails open: each question is asked
// once, and one that fails costs the accuracy of a later judgement at most.
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
  /// `on_over`: called once when all is done, but not if that was so when End() returned.
  Observation(const ClaimContext& parts, const Options& options, const ProtectedRequest& request,
              Function<void()> on_over)
      : parts_(parts), options_(options), request_(request), on_over_(std::move(on_over)) {}

  /// `key` is what the request's field reads as. Without its whole body it has no fingerprint.
  void Start(const idempotency::KeyResult& key, bool has_whole_body);

  /// The request was forwarded, and this is what was seen of the upstream.
  void End(const idempotency::UpstreamResult& seen);
  [[nodiscard]] bool over() const { return step_ == Step::kOver; }

  /// What it adds to what is told at the end: `would`, which is "executed", "replayed", "mismatch",
  /// "in_progress", "unknown", "key_missing", "key_invalid", "passed" (no key, and none required),
  /// "too_large" or "store_failed". The views are good as long as this.
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
  std::string observed_key_;  // the same in the namespace of its own
  idempotency::Claim claim_;
  std::string_view would_;
  std::string mismatch_in_;
  std::optional<idempotency::UpstreamResult> seen_;
  Ticket question_;
  Ticket deadline_;
};

}  // namespace idem::exchange

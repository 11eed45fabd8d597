#include "proxy/exchange/claim/observation.h"

#include <memory>
#include <utility>

#include "proxy/exchange/claim/store_metrics.h"

namespace idem::exchange {

using idempotency::Decision;

namespace {

std::string_view TextOf(Decision decision) {
  switch (decision) {
    case Decision::kExecute:
    case Decision::kTakeOver:
      return "executed";
    case Decision::kReplay:
    case Decision::kNotKept:
      return "replayed";
    case Decision::kMismatch:
      return "mismatch";
    case Decision::kInProgress:
      return "in_progress";
    case Decision::kReconcile:
    case Decision::kUnknown:
      break;
  }
  return "unknown";
}

std::shared_ptr<const idempotency::StoredResponse> StatusAlone(std::uint16_t status) {
  idempotency::StoredResponse response;
  response.status = status;
  response.body_kept = false;
  return std::make_shared<const idempotency::StoredResponse>(std::move(response));
}

}  // namespace

void Observation::Describe(ports::RequestReport& report) const {
  report.record_key = record_key_;
  report.would = would_;
  report.mismatch_in = mismatch_in_;
}

void Observation::Skip(std::string_view would) {
  would_ = would;
  step_ = Step::kOver;
}

void Observation::Start(const idempotency::KeyResult& key, bool has_whole_body) {
  if (std::holds_alternative<idempotency::KeyInvalid>(key)) return Skip("key_invalid");
  if (std::holds_alternative<idempotency::KeyMissing>(key)) {
    return Skip(request_.policy->required ? "key_missing" : "passed");
  }
  if (!has_whole_body) return Skip("too_large");
  record_key_ = RecordKeyFor(request_);
  observed_key_ = std::string(idempotency::kObservedPrefix) + record_key_;
  claim_ = ProposeClaim(request_, parts_.random);
  AskBegin(std::nullopt);
}

void Observation::AskBegin(std::optional<idempotency::Token> replaces) {
  step_ = Step::kBeginning;
  question_ =
      parts_.store.Begin({observed_key_, claim_, replaces, std::nullopt},
                         [this](Result<ports::BeginResult> answer) { OnBegun(std::move(answer)); });
  deadline_ = parts_.loop.After(options_.store_timeout, [this] {
    question_.Withdraw();
    OnBegun(Error{ErrorCode::kTimeout, "the store did not answer in time", Delivery::kNotSent});
  });
}

// A begin that failed may still have claimed the key, which would show as unknown later.
void Observation::OnBegun(Result<ports::BeginResult> answer) {
  deadline_.Withdraw();
  if (!answer) {
    CountBeginFailed(parts_.metrics);
    would_ = "store_failed";
    return Settle(ports::Transition::Kind::kWithdraw);
  }
  CountBegin(parts_.metrics, answer->kind);
  if (answer->record) return OnHeld(*answer->record, answer->now);
  OnClaimed();
}

void Observation::OnHeld(const idempotency::Record& record, StoreTime now) {
  const Decision decision = idempotency::Decide(
      *request_.policy, RequestIdentityFor(request_, claim_, record), record, now);
  if (decision == Decision::kExecute) return OnClaimed();
  if (decision == Decision::kTakeOver) return AskBegin(record.claim.token);
  would_ = TextOf(decision);
  if (decision == Decision::kMismatch) mismatch_in_ = MismatchIn(request_, record.claim);
  Leave();
}

void Observation::OnClaimed() {
  would_ = TextOf(Decision::kExecute);
  step_ = Step::kBegun;
  if (seen_) End(*seen_);
}

void Observation::End(const idempotency::UpstreamResult& seen) {
  seen_ = seen;
  if (step_ != Step::kBegun) return;
  Settle(ports::Transition::KindOf(idempotency::DecideEnding(*request_.policy, seen)));
}

void Observation::Settle(ports::Transition::Kind kind) {
  step_ = Step::kSettling;
  ports::Transition settlement{
      .kind = kind, .record_key = observed_key_, .claim = claim_, .ttl = request_.policy->ttl};
  if (kind == ports::Transition::Kind::kComplete) settlement.response = StatusAlone(seen_->status);
  question_ = parts_.store.Apply(settlement, [this, kind](const auto& answer) {
    CountSettlement(parts_.metrics, kind, answer);
    Leave();
  });
  deadline_ = parts_.loop.After(options_.store_timeout, [this] { Leave(); });
}

// Ends the observation. `on_over_` is called only if the exchange has ended too.
void Observation::Leave() {
  question_.Withdraw();
  deadline_.Withdraw();
  step_ = Step::kOver;
  if (seen_) on_over_();
}

}  // namespace idem::exchange

#include "proxy/exchange/observation.h"

#include <utility>

#include "proxy/exchange/store_counts.h"

namespace idem::exchange {

using idempotency::Decision;
using idempotency::Ending;

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

}  // namespace

void Observation::Describe(Report& report) const {
  report.record_key = record_key_;
  report.would = would_;
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
                         [this](Result<BeginAnswer> answer) { OnBegun(std::move(answer)); });
  deadline_ = parts_.loop.After(options_.store_timeout, [this] {
    question_.Withdraw();
    OnBegun(Error{ErrorCode::kTimeout, "the store did not answer in time", Reached::kNo});
  });
}

// A begin that failed may have claimed the key all the same, which would show as unknown later.
void Observation::OnBegun(Result<BeginAnswer> answer) {
  deadline_.Withdraw();
  if (!answer) {
    CountBeginFailed(parts_.metrics);
    would_ = "store_failed";
    return Settle(Settlement::Kind::kWithdraw);
  }
  CountBegin(parts_.metrics, answer->kind);
  answer->record ? OnHeld(*answer->record, answer->now) : OnClaimed();
}

void Observation::OnHeld(const idempotency::Record& record, StoreTime now) {
  const Decision decision =
      idempotency::Decide(*request_.policy, QuestionFor(request_, claim_, record), record, now);
  if (decision == Decision::kExecute) return OnClaimed();
  if (decision == Decision::kTakeOver) return AskBegin(record.claim.token);
  would_ = TextOf(decision);
  Leave();
}

void Observation::OnClaimed() {
  would_ = TextOf(Decision::kExecute);
  step_ = Step::kBegun;
  if (seen_) End(*seen_);
}

void Observation::End(const idempotency::Seen& seen) {
  seen_ = seen;
  if (step_ != Step::kBegun) return;
  switch (idempotency::DecideOutcome(*request_.policy, seen)) {
    case Ending::kRecord:
      return Settle(Settlement::Kind::kComplete);
    case Ending::kRelease:
      return Settle(Settlement::Kind::kRelease);
    case Ending::kUnknown:
      return Settle(Settlement::Kind::kMarkUnknown);
  }
}

void Observation::Settle(Settlement::Kind kind) {
  step_ = Step::kSettling;
  auto on_answer = [this, kind](const Result<SettleAnswer>& answer) {
    CountSettlement(parts_.metrics, kind, answer);
    Leave();
  };
  const idempotency::StoredResponse status_alone{.status = seen_ ? seen_->status : std::uint16_t{0},
                                                 .fields = {},
                                                 .body_kept = false,
                                                 .body = {}};
  switch (kind) {
    case Settlement::Kind::kComplete:
      question_ = parts_.store.Complete(observed_key_, claim_, status_alone, request_.policy->ttl,
                                        std::move(on_answer));
      break;
    case Settlement::Kind::kRelease:
      question_ = parts_.store.Release(observed_key_, claim_.token, std::move(on_answer));
      break;
    case Settlement::Kind::kMarkUnknown:
      question_ = parts_.store.MarkUnknown(observed_key_, claim_, std::move(on_answer));
      break;
    case Settlement::Kind::kWithdraw:
      question_ =
          parts_.store.Withdraw(observed_key_, claim_.token, claim_.lease, std::move(on_answer));
      break;
  }
  deadline_ = parts_.loop.After(options_.store_timeout, [this] { Leave(); });
}

// Over; but the exchange is told only once it has ended too.
void Observation::Leave() {
  question_.Withdraw();
  deadline_.Withdraw();
  step_ = Step::kOver;
  if (seen_) on_over_();
}

}  // namespace idem::exchange

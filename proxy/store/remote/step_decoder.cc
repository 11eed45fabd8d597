#include "proxy/store/remote/step_decoder.h"

#include <chrono>
#include <limits>
#include <utility>

#include "proxy/store/remote/step_words.h"

namespace idem::store {
namespace {

using ports::BeginResult;
using ports::LimitResult;
using ports::LookUpReservation;
using ports::TransitionResult;
using std::chrono::milliseconds;

// Sets the members that every kind of result has.
template <class Answer, class Kind>
std::optional<Error> DecodeHead(const StepOutcome& outcome, std::optional<Kind> kind,
                                const char* step, Answer& result) {
  const auto time = outcome.time_ms();
  if (!time) return outcome.Unexpected("time");
  if (!kind) return outcome.Unexpected(step);
  result.now = StoreTime(milliseconds(*time));
  result.kind = *kind;
  return {};
}

template <class Answer>
std::optional<Error> DecodeRecord(const StepOutcome& outcome, Answer& result) {
  Result<idempotency::Record> record = outcome.ReadRecord();
  if (!record) return std::move(record).error();
  result.record = std::move(*record);
  return {};
}

}  // namespace

Result<BeginResult> DecodeBegin(const StepOutcome& outcome, bool limited) {
  constexpr const char* kStep = "answer to a begin";
  BeginResult result;
  const auto kind = BeginKindOf(outcome.word().value_or(""));
  if (auto error = DecodeHead(outcome, kind, kStep, result)) return std::move(*error);
  if (result.kind == BeginResult::Kind::kWithdrawn) return result;
  if (limited) {
    Result<LimitResult> verdict = outcome.ReadVerdict();
    if (!verdict) return std::move(verdict).error();
    result.limit = *verdict;
  }
  const bool refused = limited && !result.limit->allowed;
  if (refused != (result.kind == BeginResult::Kind::kLimited)) return outcome.Unexpected(kStep);
  if (result.kind != BeginResult::Kind::kHeld) return result;
  if (auto error = DecodeRecord(outcome, result)) return std::move(*error);
  return result;
}

Result<TransitionResult> DecodeTransition(const StepOutcome& outcome) {
  TransitionResult result;
  const auto kind = TransitionKindOf(outcome.word().value_or(""));
  if (auto error = DecodeHead(outcome, kind, "answer to a transition", result)) {
    return std::move(*error);
  }
  if (result.kind != TransitionResult::Kind::kHeld) return result;
  if (auto error = DecodeRecord(outcome, result)) return std::move(*error);
  return result;
}

Result<LookUpReservation> DecodeLookUp(const StepOutcome& outcome) {
  using Kind = LookUpReservation::Kind;
  LookUpReservation result;
  const auto kind = LookUpKindOf(outcome.word().value_or(""));
  if (auto error = DecodeHead(outcome, kind, "answer to a look-up", result)) {
    return std::move(*error);
  }
  if (result.kind == Kind::kTaken) {
    const auto pause = outcome.pause_ms();
    if (!pause) return outcome.Unexpected("pause");
    result.retry_after = milliseconds(*pause);
  }
  if (result.kind == Kind::kChanged && outcome.has_record()) {
    if (auto error = DecodeRecord(outcome, result)) return std::move(*error);
  }
  return result;
}

std::optional<LimitResult> DecodeVerdict(std::optional<std::int64_t> allowed,
                                         std::optional<std::int64_t> remaining,
                                         std::optional<std::int64_t> reset) {
  const bool well_formed = allowed && remaining && reset && (*allowed == 0 || *allowed == 1) &&
                           *remaining >= 0 &&
                           *remaining <= std::numeric_limits<std::uint32_t>::max() && *reset >= 0;
  if (!well_formed) return {};
  return LimitResult{.allowed = *allowed == 1,
                     .remaining = static_cast<std::uint32_t>(*remaining),
                     .reset = milliseconds(*reset)};
}

}  // namespace idem::store

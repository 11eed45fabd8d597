// Decodes the outcome of a step, whichever server ran it: a word, the time of the server and what
// belongs to the word. An outcome of another shape is kCorrupt.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_store.h"

namespace idem::store {

/// The parts of an outcome, read from the protocol of one server. A part that is missing or
/// malformed is null.
class StepOutcome {
 public:
  [[nodiscard]] virtual std::optional<std::string_view> word() const = 0;
  [[nodiscard]] virtual std::optional<std::int64_t> time_ms() const = 0;   // never negative
  [[nodiscard]] virtual std::optional<std::int64_t> pause_ms() const = 0;  // never negative
  [[nodiscard]] virtual Result<ports::LimitResult> ReadVerdict() const = 0;
  [[nodiscard]] virtual bool has_record() const = 0;
  [[nodiscard]] virtual Result<idempotency::Record> ReadRecord() const = 0;
  /// Returns kCorrupt for the part `what`.
  [[nodiscard]] virtual Error Unexpected(const char* what) const = 0;

 protected:
  ~StepOutcome() = default;
};

/// `limited`: the request was counted, so the outcome must have a verdict.
[[nodiscard]] Result<ports::BeginResult> DecodeBegin(const StepOutcome& outcome, bool limited);
[[nodiscard]] Result<ports::TransitionResult> DecodeTransition(const StepOutcome& outcome);
[[nodiscard]] Result<ports::LookUpReservation> DecodeLookUp(const StepOutcome& outcome);

/// Returns null unless the three numbers are a verdict: 1 or 0, requests that remain, milliseconds.
[[nodiscard]] std::optional<ports::LimitResult> DecodeVerdict(std::optional<std::int64_t> allowed,
                                                              std::optional<std::int64_t> remaining,
                                                              std::optional<std::int64_t> reset);

}  // namespace idem::store

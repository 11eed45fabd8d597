// The one rule of what a program that reads a problem may do next: the member `retry` of
// semantics.md, "Answers the proxy makes itself". Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace idem::idempotency {

/// No value tells a caller to use a new key: a new key is a new payment.
enum class Advice : std::uint8_t {
  kSameKey,  // send it again as it is
  kCorrect,  // mend the request; the key stays
  kSettle,   // find out from the backend's owner before anything else is sent
  kNever,    // do not send it again
};
/// "same-key", "correct", "settle" or "never".
[[nodiscard]] std::string_view AdviceText(Advice advice);

/// The kinds of problems that the advice tells apart.
enum class ProblemKind : std::uint8_t {
  kMalformed,       // bad-request, key-missing, key-invalid
  kRefused,         // no such route or method, beyond a limit, not implemented
  kNotNow,          // signature, rate limit, store, overload, drain, a caller that was too slow
  kMismatch,        // payload-mismatch
  kInProgress,      // in-progress
  kOutcomeUnknown,  // outcome-unknown
  kNotKept,         // response-not-kept
  kUpstreamFailed,  // upstream-...
};

/// The record of the key as it stands when the problem is made.
enum class RecordStanding : std::uint8_t {
  kNone,  // there is none, or it was released
  kExecuting,
  kUnknown,
  kLookedUp,  // unknown, and the backend will be asked (`reconcile`)
  kCompleted,
};

struct Circumstances {
  ProblemKind problem = ProblemKind::kNotNow;
  RecordStanding record = RecordStanding::kNone;
  std::uint16_t recorded_status = 0;  // kCompleted only
  bool written = false;               // a byte of this request was written to the backend
  bool repeatable = false;            // IsRepeatable(its method)
  bool upstream_idempotent = false;   // the backend drops duplicates of this request by its key
};

/// Whether RFC 9110 calls the method safe or idempotent (sections 9.2.1 and 9.2.2).
[[nodiscard]] bool IsRepeatable(std::string_view method);

/// The backend may have executed the request, and nothing keeps it from executing it again.
[[nodiscard]] bool IsUnprotected(const Circumstances& at);

[[nodiscard]] Advice Advise(const Circumstances& at);

/// Whether a recorded status says that nothing was done: a 4xx, except 409, behind which an effect
/// may stand, and those that a hop makes when it gives up.
[[nodiscard]] bool IsRefusal(std::uint16_t status);

}  // namespace idem::idempotency

// The table of semantics.md, "The record": what a request may do, given the record under its key.
// Pure.
#pragma once

#include <cstdint>

#include "proxy/idempotency/policy.h"
#include "proxy/idempotency/record.h"

namespace idem::idempotency {

enum class Decision : std::uint8_t {
  kExecute,     // the record is my own claim (my begin was sent twice)
  kTakeOver,    // unknown, both sides idempotent: begin again, replacing the record's claim
  kReplay,      // the recorded response
  kNotKept,     // completed, but its response was too large to keep
  kMismatch,    // same key, another request
  kInProgress,  // another request executes now
  kReconcile,   // unknown, and the backend can be asked
  kUnknown,     // the effect may have happened
};

/// kSame: the request's fingerprint was made by the record's own recipe. kImpossible: it could not
/// be made so.
enum class RecipeMatch : std::uint8_t { kSame, kImpossible };

/// The properties of a request that are compared with the record.
struct RequestIdentity {
  Token token;  // of its own begin
  Fingerprint fingerprint{};
  RecipeMatch recipe = RecipeMatch::kSame;
};

/// Requires a record: `begin` on a free key is a claim.
[[nodiscard]] Decision Decide(const Policy& policy, const RequestIdentity& question,
                              const Record& record, StoreTime now);

}  // namespace idem::idempotency

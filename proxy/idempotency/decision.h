// The table of semantics.md, "The record": what a request may do, given the record that holds its
// key. Pure.
#pragma once

#include <cstdint>

#include "proxy/idempotency/policy.h"
#include "proxy/idempotency/record.h"

namespace idem::idempotency {

enum class Decision : std::uint8_t {
  kExecute,     // the record is my own claim (my begin was asked twice)
  kTakeOver,    // unknown, both sides idempotent: begin again, replacing the record's token by mine
  kReplay,      // the recorded response
  kNotKept,     // completed, but its response was too large to keep
  kMismatch,    // same key, another request
  kInProgress,  // somebody executes it now
  kReconcile,   // unknown, and the backend can be asked
  kUnknown,     // the effect may have happened
};

/// What is compared with the record. `fingerprint` was made by the record's own recipe
/// (RecipeMatch::kSame), or could not be.
enum class RecipeMatch : std::uint8_t { kSame, kImpossible };

struct RequestIdentity {
  Token token;  // what my own begin proposed
  Fingerprint fingerprint{};
  RecipeMatch recipe = RecipeMatch::kSame;
};

/// No record is not asked here: `begin` on an absent key is a claim.
[[nodiscard]] Decision Decide(const Policy& policy, const RequestIdentity& question,
                              const Record& record, StoreTime now);

}  // namespace idem::idempotency

// Decides what a request may do, given the record of its key: the table of semantics.md, "The
// record". Pure.
#pragma once

#include <cstdint>

#include "proxy/idempotency/policy.h"
#include "proxy/idempotency/record.h"

namespace idem::idempotency {

enum class Decision : std::uint8_t {
  kExecute,     // the record is this request's own claim; its begin was sent twice
  kTakeOver,    // unknown, both sides idempotent: begin again and replace the record's token
  kReplay,      // return the recorded response
  kNotKept,     // completed, but the response was too large to keep
  kMismatch,    // same key, another request
  kInProgress,  // another request executes it now
  kReconcile,   // unknown, and the backend can be queried
  kUnknown,     // the effect may have happened
};

/// States if the fingerprint could be computed by the record's own recipe.
enum class RecipeMatch : std::uint8_t { kSame, kImpossible };

/// The properties of a request that are compared with the record.
struct RequestIdentity {
  Token token;  // the token that this request's begin proposed
  Fingerprint fingerprint{};
  RecipeMatch recipe = RecipeMatch::kSame;
};

/// Decides for a key that has a record. An absent key needs no decision: `begin` claims it.
[[nodiscard]] Decision Decide(const Policy& policy, const RequestIdentity& identity,
                              const Record& record, StoreTime now);

}  // namespace idem::idempotency

// The lease of a claim: how long a store treats the claim as executing. Pure. The scripts of Redis
// and the functions of PostgreSQL copy these rules; each copy names the function that it copies,
// and tests/contract/ compares them.
#pragma once

#include "proxy/base/clock.h"
#include "proxy/idempotency/record.h"

namespace idem::idempotency {

struct Policy;

/// Returns the moment at which a lease ends, on the clock of the store or of the process.
template <class Time>
[[nodiscard]] constexpr Time LeaseEnd(Time begun_at, Milliseconds lease) {
  return begun_at + lease;
}

/// Returns the end of the lease of a claim whose process died before `started_at`, when the
/// embedded store was opened. The calendar may have been set between the two processes, so the rest
/// of the lease is unknown: the claim gets its whole lease from `started_at`, and keeps a later
/// end.
[[nodiscard]] StoreTime LeaseEndAfterRestart(const Record& record, StoreTime started_at);

/// Returns true while `record` is executing and its lease has not ended.
[[nodiscard]] bool IsAlive(const Record& record, StoreTime now);

/// The waits of one execution, each at its longest.
struct ExecutionWaits {
  Duration store_timeout{};   // of one operation; an execution waits for two
  Duration longest_wait{};    // of the call to the backend (ports::Upstream::longest_wait())
  Duration record_timeout{};  // of the record of the outcome
};

/// Returns the shortest lease that covers an execution: all its waits, and a margin of 5 s.
[[nodiscard]] Milliseconds RequiredLease(const ExecutionWaits& waits);

/// Returns true if an execution may send its first byte with `left` of its lease. The lease must
/// cover the waits that remain (the response and the record). A lease that is configured too short
/// for the call and the record can never do that: it must at least not be over.
[[nodiscard]] bool MaySend(Milliseconds lease, Duration left, Duration response_timeout,
                           const ExecutionWaits& waits);

/// Returns the moment from which a route with `policy`, which reconciles, may look up the unknown
/// `record`. It counts from the end of the lease, and no earlier than from the end that the lease
/// of a claim made today would have: a claim that was made under a shorter lease may still be
/// executing.
[[nodiscard]] StoreTime EarliestLookUp(const Record& record, const Policy& policy);

}  // namespace idem::idempotency

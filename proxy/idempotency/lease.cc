#include "proxy/idempotency/lease.h"

#include <algorithm>

#include "proxy/base/invariant.h"
#include "proxy/idempotency/policy.h"

namespace idem::idempotency {

StoreTime LeaseEndAfterRestart(const Record& record, StoreTime started_at) {
  return std::max(record.lease_ends_at, LeaseEnd(started_at, record.claim.lease));
}

bool IsAlive(const Record& record, StoreTime now) {
  return record.state == RecordState::kExecuting && now < record.lease_ends_at;
}

Milliseconds RequiredLease(const ExecutionWaits& waits) {
  constexpr std::chrono::seconds kMargin{5};
  const Duration store = 2 * waits.store_timeout;  // the begin, and the last try to complete
  return std::chrono::ceil<Milliseconds>(store + waits.longest_wait + waits.record_timeout +
                                         kMargin);
}

bool MaySend(Milliseconds lease, Duration left, Duration response_timeout,
             const ExecutionWaits& waits) {
  const bool can_cover = lease >= waits.longest_wait + waits.record_timeout;
  return can_cover ? left >= response_timeout + waits.record_timeout : left > Duration::zero();
}

StoreTime EarliestLookUp(const Record& record, const Policy& policy) {
  INVARIANT(policy.reconcile.has_value());
  const StoreTime end = std::max(record.lease_ends_at, LeaseEnd(record.begun_at, policy.lease));
  return end + policy.reconcile->after;
}

}  // namespace idem::idempotency

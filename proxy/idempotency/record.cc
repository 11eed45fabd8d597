#include "proxy/idempotency/record.h"

#include <utility>

#include "proxy/idempotency/lease.h"

namespace idem::idempotency {

RecordState Record::state_at(StoreTime now) const {
  const bool is_abandoned = state == RecordState::kExecuting && !IsAlive(*this, now);
  return is_abandoned ? RecordState::kUnknown : state;
}

Record MakeExecuting(const Claim& claim, StoreTime now) {
  Record record;
  record.state = RecordState::kExecuting;
  record.claim = claim;
  record.begun_at = now;
  record.lease_ends_at = LeaseEnd(now, claim.lease);
  record.expires_at = record.lease_ends_at + claim.unknown_ttl;
  return record;
}

Record MakeUnknown(const Claim& claim, StoreTime begun_at, StoreTime lease_ends_at, StoreTime now) {
  Record record;
  record.state = RecordState::kUnknown;
  record.claim = claim;
  record.begun_at = begun_at;
  record.lease_ends_at = lease_ends_at;
  record.expires_at = now + claim.unknown_ttl;
  return record;
}

Record MakeCompleted(const Claim& claim, StoreTime begun_at, StoreTime lease_ends_at,
                     std::shared_ptr<const StoredResponse> response, Milliseconds ttl,
                     StoreTime now) {
  Record record;
  record.state = RecordState::kCompleted;
  record.claim = claim;
  record.begun_at = begun_at;
  record.lease_ends_at = lease_ends_at;
  record.expires_at = now + ttl;
  record.response = std::move(response);
  return record;
}

}  // namespace idem::idempotency

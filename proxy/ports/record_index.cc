#include "proxy/ports/record_index.h"

#include "proxy/idempotency/key.h"

namespace idem::ports {

using idempotency::RecordState;

bool RecordFilter::Fits(std::string_view record_key, const idempotency::Record& record,
                        StoreTime now) const {
  if (!key_hash.empty()) return idempotency::KeyHash(record_key) == key_hash;
  if (record.state == RecordState::kCompleted) return false;
  if (record_key.starts_with(idempotency::kObservedPrefix)) return false;
  if (state && record.state_at(now) != *state) return false;
  if (now - record.begun_at < age_min) return false;
  if (!route.empty() && record.claim.route != route) return false;
  return client.empty() || record.claim.client == client;
}

Error NoSuchCursor() { return {ErrorCode::kInvalid, "no list of this store has such a cursor"}; }

}  // namespace idem::ports

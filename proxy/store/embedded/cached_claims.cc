#include "proxy/store/embedded/cached_claims.h"

#include <utility>

namespace idem::store {

namespace {

constexpr std::size_t kEntriesMax = 100'000;

bool IsExecuting(const StoredRecord& record) {
  return record && record->state == idempotency::RecordState::kExecuting;
}

}  // namespace

void CachedClaims::Write(const std::string& key, StoredRecord record) {
  const StoreTime end = record ? record->lease_ends_at : StoreTime{};
  entries_.Put(key, {std::move(record), true}, end);
  written_.push_back(key);
}

void CachedClaims::CloseBatch(bool is_committed) {
  for (const std::string& key : written_) {
    Entry* entry = entries_.Find(key);
    if (entry == nullptr) continue;
    if (is_committed && IsExecuting(entry->record)) {
      entry->is_of_batch = false;
    } else {
      entries_.Erase(key);
    }
  }
  written_.clear();
}

void CachedClaims::Trim(StoreTime now) {
  entries_.DropExpired(now, kEntriesMax);
  while (entries_.size() > kEntriesMax) entries_.DropSoonest();
}

}  // namespace idem::store

#include "proxy/store/memory_store.h"

#include <utility>

#include "proxy/base/invariant.h"

namespace idem::store {

using exchange::BeginAnswer;
using exchange::BeginQuestion;
using exchange::LimitVerdict;
using exchange::LookUpAnswer;
using exchange::SettleAnswer;
using idempotency::Record;

std::size_t MemoryStore::size() const {
  std::size_t size = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    size += shard.records.size();
  }
  return size;
}

template <class StepFunction>
auto MemoryStore::Apply(std::string_view record_key, StepFunction&& step) {
  constexpr std::size_t kDropPerStep = 4;
  Shard& shard = shards_[TextHash{}(record_key) % kShards];
  const std::lock_guard lock(shard.mutex);
  const StoreTime now = clock_();
  shard.records.DropExpired(now, kDropPerStep);
  const Record* found = shard.records.Find(record_key);
  auto made = step(found == nullptr ? Present() : Alive(*found, now), now);
  if (made.change == Change::kErase) shard.records.Erase(record_key);
  if (made.change == Change::kWrite) {
    INVARIANT(made.record.has_value());
    const StoreTime expires_at = made.record->expires_at;
    shard.records.Put(std::string(record_key), std::move(*made.record), expires_at);
  }
  return std::move(made.answer);
}

void MemoryStoreClient::DoBegin(BeginQuestion question, std::optional<LimitVerdict> verdict,
                                BeginCompletion completion) {
  BeginAnswer answer = store_.Apply(question.record_key, [&](Present present, StoreTime now) {
    if (state_.withdrawals.Holds(question.claim.token, now)) {
      return BeginStep{{BeginAnswer::Kind::kWithdrawn, {}, now, {}}, {}, {}};
    }
    return store::Begin(std::move(present), question.claim, question.replaces, now);
  });
  answer.limit = verdict;
  Answer<Result<BeginAnswer>>(std::move(completion), std::move(answer));
}

void MemoryStoreClient::DoSettle(std::string record_key, SettleFunction step,
                                 SettleCompletion completion) {
  SettleAnswer answer = store_.Apply(record_key, step);
  Answer<Result<SettleAnswer>>(std::move(completion), std::move(answer));
}

void MemoryStoreClient::DoLookUp(std::string record_key, LookUpFunction step,
                                 LookUpCompletion completion) {
  LookUpAnswer answer = store_.Apply(record_key, step);
  Answer<Result<LookUpAnswer>>(std::move(completion), std::move(answer));
}

}  // namespace idem::store

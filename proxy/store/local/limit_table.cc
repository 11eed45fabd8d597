#include "proxy/store/local/limit_table.h"

namespace idem::store {

using ports::LimitAlgorithm;
using ports::LimitRequest;
using ports::LimitResult;

LimitResult LimitTable::Count(const LimitRequest& question, StoreTime now) {
  constexpr std::size_t kDropPerStep = 4;
  Shard& shard = shards_[TextHash{}(question.subject) % kShards];
  const std::lock_guard lock(shard.mutex);
  shard.counters.DropExpired(now, kDropPerStep);
  Counter& counter = CounterOf(shard, question);
  return std::visit(
      [&](auto& counts) {
        const LimitResult verdict = counts.Count(question.token, question.rule, now);
        shard.counters.SetEnd(question.subject, counts.idle_at(question.rule));
        return verdict;
      },
      counter);
}

std::size_t LimitTable::size() const {
  std::size_t size = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    size += shard.counters.size();
  }
  return size;
}

/// The subject's counter; a new one where there is none, or where a reload changed the algorithm.
LimitTable::Counter& LimitTable::CounterOf(Shard& shard, const LimitRequest& question) {
  const bool is_bucket = question.rule.algorithm == LimitAlgorithm::kTokenBucket;
  Counter* found = shard.counters.Find(question.subject);
  if (found != nullptr && std::holds_alternative<TokenBucket>(*found) == is_bucket) return *found;
  if (found == nullptr && shard.counters.size() >= kSubjectsMax / kShards) {
    shard.counters.DropSoonest();
  }
  Counter fresh = is_bucket ? Counter(TokenBucket()) : Counter(SlidingWindow());
  return shard.counters.Put(question.subject, std::move(fresh), StoreTime{});
}

}  // namespace idem::store

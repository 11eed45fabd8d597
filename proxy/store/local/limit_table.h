// The rate limits of one process, which all its workers share: the counts of the memory and the
// embedded store.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <variant>

#include "proxy/ports/rate_limiter.h"
#include "proxy/store/local/expiring_map.h"
#include "proxy/store/local/limit_windows.h"

namespace idem::store {

/// Any thread. A subject is dropped once none of its requests counts any more. Above kSubjectsMax,
/// the subject whose requests stop counting first is dropped.
class LimitTable {
 public:
  static constexpr std::size_t kSubjectsMax = 1'000'000;

  [[nodiscard]] ports::LimitResult Count(const ports::LimitRequest& question, StoreTime now);
  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 64;
  using Counter = std::variant<SlidingWindow, TokenBucket>;
  struct Shard {
    mutable std::mutex mutex;
    ExpiringTextMap<Counter> counters;
  };
  static Counter& CounterOf(Shard& shard, const ports::LimitRequest& question);

  std::array<Shard, kShards> shards_;
};

}  // namespace idem::store

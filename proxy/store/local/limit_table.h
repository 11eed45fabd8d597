// The rate limits of one process: what memory and embedded count in, shared by all workers.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <variant>

#include "proxy/ports/rate_limiter.h"
#include "proxy/store/local/expiring_map.h"
#include "proxy/store/local/limit_windows.h"

namespace idem::store {

/// Any thread. A subject is forgotten when nothing of it counts any more; beyond kSubjectsMax the
/// one that would be forgotten first is.
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

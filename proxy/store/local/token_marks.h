// Marks beside the records of a store of one process, each for one token and with an end: withdrawn
// begins (semantics.md, "The record") and look-up reservations ("Reconcile"). They need not survive
// the process: no begin arrives from a dead process, and its look-ups have ended with it.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <optional>

#include "proxy/store/local/expiring_map.h"

namespace idem::store {

/// Any thread. Above kMarksMax the mark that ends first is dropped.
class TokenMarks {
 public:
  static constexpr std::size_t kMarksMax = 100'000;

  void Mark(const idempotency::Token& token, StoreTime until, StoreTime now) {
    const std::lock_guard lock(mutex_);
    marks_.DropExpired(now, kMarksMax);
    if (marks_.size() >= kMarksMax) marks_.DropSoonest();
    marks_.Put(token, until, until);
    count_.store(marks_.size());
  }

  /// Returns the end of the token's mark, null if it has none or the mark has ended.
  [[nodiscard]] std::optional<StoreTime> Find(const idempotency::Token& token, StoreTime now) {
    if (count_.load() == 0) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const StoreTime* until = marks_.Find(token);
    if (until == nullptr || *until <= now) return std::nullopt;
    return *until;
  }
  [[nodiscard]] bool Holds(const idempotency::Token& token, StoreTime now) {
    return Find(token, now).has_value();
  }

 private:
  std::mutex mutex_;
  ExpiringTokenMap<StoreTime> marks_;
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace idem::store

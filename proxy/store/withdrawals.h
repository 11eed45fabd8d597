// The marks of withdrawn begins (semantics.md, "The record"), for stores of one process. They need
// not outlive it: a begin cannot arrive from a process that has died.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <variant>

#include "proxy/store/expiring_map.h"

namespace idem::store {

/// Any thread. Beyond kMarksMax the mark that ends first makes room.
class Withdrawals {
 public:
  static constexpr std::size_t kMarksMax = 100'000;

  /// Set before the record is looked at, so that a begin which does not see the mark is itself seen
  /// by the withdrawal.
  void Mark(const idempotency::Token& token, StoreTime until, StoreTime now) {
    const std::lock_guard lock(mutex_);
    marks_.DropExpired(now, kMarksMax);
    if (marks_.size() >= kMarksMax) marks_.DropSoonest();
    marks_.Put(token, until, until);
    count_.store(marks_.size());
  }

  [[nodiscard]] bool Holds(const idempotency::Token& token, StoreTime now) {
    if (count_.load() == 0) return false;
    const std::lock_guard lock(mutex_);
    const StoreTime* until = marks_.Find(token);
    return until != nullptr && now < *until;
  }

 private:
  std::mutex mutex_;
  ExpiringTokenMap<StoreTime> marks_;
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace idem::store

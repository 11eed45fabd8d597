// The embedded store's clock, and the expiry of records by it.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/store/local/store_clock.h"

namespace idem::store {

/// Continues from the calendar of the start, and never from before the newest stamp in the store.
/// If calendar and stamp disagree (the calendar is more than a minute behind, or more than 30 days
/// ahead), one of them is wrong. For an hour nothing expires then that had not expired by the
/// newest stamp, so that an operator can correct the clock before keys are forgotten. (A start
/// within a second after another one is ahead of the calendar by up to a second.) Any thread once
/// started.
class EmbeddedClock {
 public:
  using Calendar = std::function<StoreTime()>;

  EmbeddedClock(Calendar calendar, StoreClock::Boot boot)
      : calendar_(std::move(calendar)), boot_(std::move(boot)) {}

  /// `newest` is the stamp of an earlier process. Returns the problem with the calendar, for the
  /// log; null if there is none.
  std::optional<std::string> Start(std::optional<StoreTime> newest);

  [[nodiscard]] StoreTime Now() const { return clock_->Now(); }
  /// Returns false for all records until the clock has started: RocksDB may compact before.
  [[nodiscard]] bool HasExpired(StoreTime expires_at) const;
  /// Returns the time at which this process started the clock.
  [[nodiscard]] StoreTime started_at() const { return started_at_; }
  /// Returns the end of the hour in which expiry is on hold; a past time if it is not.
  [[nodiscard]] StoreTime held_until() const { return held_until_; }

  /// An earlier process may have been this far ahead of the stamp that it left.
  static constexpr std::chrono::milliseconds kStampEvery = std::chrono::seconds(1);

 private:
  static constexpr std::chrono::milliseconds kBehindMax = std::chrono::minutes(1);
  static constexpr std::chrono::milliseconds kAheadMax = std::chrono::hours(24 * 30);
  static constexpr std::chrono::milliseconds kHold = std::chrono::hours(1);

  Calendar calendar_;
  StoreClock::Boot boot_;
  std::optional<StoreClock> clock_;
  StoreTime newest_{};
  StoreTime started_at_{};
  StoreTime held_until_{};
  std::atomic<bool> started_ = false;
};

}  // namespace idem::store

// The embedded store's clock, and what has expired by it.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/store/local/store_clock.h"

namespace idem::store {

/// Runs on from the calendar of the start, never before the newest stamp that lies in the store. If
/// calendar and stamp disagree (the calendar is more than a minute behind, or more than 30 days
/// ahead), one of them is wrong, and for an hour nothing expires that had not expired by the newest
/// stamp: an operator can set the clock right before keys are forgotten. (Each start that follows
/// another within a second is itself ahead of the calendar by as much.) Any thread once started.
class EmbeddedClock {
 public:
  using Calendar = std::function<StoreTime()>;

  EmbeddedClock(Calendar calendar, StoreClock::Boot boot)
      : calendar_(std::move(calendar)), boot_(std::move(boot)) {}

  /// `newest`: the stamp that an earlier process left. Answers what is wrong with the calendar, for
  /// the log.
  std::optional<std::string> Start(std::optional<StoreTime> newest);

  [[nodiscard]] StoreTime Now() const { return clock_->Now(); }
  /// False for everything until the clock has started: RocksDB may compact before.
  [[nodiscard]] bool HasExpired(StoreTime expires_at) const;
  /// When this process started the clock.
  [[nodiscard]] StoreTime started_at() const { return started_at_; }
  /// Until then what should have expired may be held; the past when nothing is.
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

// The clock of a store that lives in this process.
#pragma once

#include <chrono>
#include <functional>

#include "proxy/base/clock.h"

namespace idem::store {

/// Set once from the calendar, then driven by BootClock: it continues while the machine sleeps, and
/// it never goes back, whatever happens to the calendar. Any thread.
class StoreClock {
 public:
  using Boot = std::function<BootTime()>;

  StoreClock() : StoreClock(Wall(), BootClock::now) {}
  StoreClock(StoreTime start, Boot boot)
      : boot_(std::move(boot)), started_at_(boot_()), start_(start) {}

  [[nodiscard]] StoreTime Now() const {
    return start_ + std::chrono::duration_cast<std::chrono::milliseconds>(boot_() - started_at_);
  }
  StoreTime operator()() const { return Now(); }

  /// Returns the time of the calendar.
  static StoreTime Wall() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }

 private:
  Boot boot_;
  BootTime started_at_;
  StoreTime start_;
};

}  // namespace idem::store

// The two clocks of the program.
#pragma once

#include <chrono>

namespace idem {

using Duration = std::chrono::nanoseconds;

/// CLOCK_BOOTTIME: never set, never goes back, and counts the time for which the machine was
/// suspended. Every deadline and every lease as this process believes it is measured on it.
struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};
using BootTime = BootClock::time_point;

/// Milliseconds since 1970 in UTC, as a store's clock tells it. What lies in a record is measured
/// on it; this process never compares it with its own clocks.
using StoreTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// What the system's calendar clock says: for log lines and the Date field only.
using WallTime = std::chrono::system_clock::time_point;

}  // namespace idem

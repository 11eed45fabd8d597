// The two clocks of the program.
#pragma once

#include <chrono>

namespace idem {

using Duration = std::chrono::nanoseconds;

/// Reads CLOCK_BOOTTIME, which is never set, never goes back, and counts the time that the machine
/// was suspended. This process measures its deadlines and its view of leases on it.
struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};
using BootTime = BootClock::time_point;

/// Milliseconds since 1970 in UTC, read from the store's clock. The times in a record use it; this
/// process never compares it with its own clocks.
using StoreTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// The system's calendar time. It serves log lines and the Date field only.
using WallTime = std::chrono::system_clock::time_point;

}  // namespace idem

// The virtual clock of one simulated world, and everything that is still to happen on it.
#pragma once

#include <cstdint>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/function.h"

namespace idem::simulation {

/// What is planned for the same moment happens in the order of planning.
class Timeline {
 public:
  [[nodiscard]] BootTime now() const { return now_; }
  /// Since the world began.
  [[nodiscard]] Duration age() const { return now_ - kBegin; }

  void At(BootTime when, Function<void()> task);
  void After(Duration delay, Function<void()> task) { At(now_ + delay, std::move(task)); }

  /// Moves the clock to what comes next and runs it. False: nothing is left.
  bool RunNext();
  void Clear() { events_.clear(); }

 private:
  static constexpr BootTime kBegin{std::chrono::hours(1000)};
  struct Event {
    BootTime when;
    std::uint64_t number;
    Function<void()> task;
  };
  static bool IsLater(const Event& a, const Event& b) {
    return a.when != b.when ? a.when > b.when : a.number > b.number;
  }

  BootTime now_ = kBegin;
  std::uint64_t planned_ = 0;
  std::vector<Event> events_;  // a heap, the soonest first
};

}  // namespace idem::simulation

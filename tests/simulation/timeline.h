// The virtual clock of one simulated world, and every event that is still to happen on it.
#pragma once

#include <cstdint>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/function.h"

namespace idem::simulation {

/// Events of the same moment happen in the order of planning.
class Timeline {
 public:
  [[nodiscard]] BootTime now() const { return now_; }
  /// Returns the time since the world began.
  [[nodiscard]] Duration age() const { return now_ - kBegin; }

  void At(BootTime when, Function<void()> task);
  void After(Duration delay, Function<void()> task) { At(now_ + delay, std::move(task)); }

  /// Moves the clock to the next event and runs it. Returns false if there is none.
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
  std::vector<Event> events_;  // a heap, soonest first
};

}  // namespace idem::simulation

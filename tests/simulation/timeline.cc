#include "tests/simulation/timeline.h"

#include <algorithm>
#include <utility>

namespace idem::simulation {

void Timeline::At(BootTime when, Function<void()> task) {
  events_.push_back({std::max(when, now_), planned_++, std::move(task)});
  std::push_heap(events_.begin(), events_.end(), IsLater);
}

bool Timeline::RunNext() {
  if (events_.empty()) return false;
  std::pop_heap(events_.begin(), events_.end(), IsLater);
  Event next = std::move(events_.back());
  events_.pop_back();
  now_ = next.when;
  next.task();
  return true;
}

}  // namespace idem::simulation

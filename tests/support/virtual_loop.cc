#include "tests/support/virtual_loop.h"

#include <utility>

namespace idem::support {

VirtualLoop::~VirtualLoop() {
  retired_.clear();
  for (auto& [when, timer] : timers_) {
    if (timer.awaited()) timer(0);
  }
}

Ticket VirtualLoop::After(Duration delay, Function<void()> task) {
  auto [ticket, completion] = Ask<int>([task = std::move(task)](int) mutable { task(); });
  timers_.emplace(now_ + delay, std::move(completion));
  return std::move(ticket);
}

void VirtualLoop::Turn() {
  auto retired = std::exchange(retired_, {});
  retired.clear();
  auto posted = std::exchange(posted_, {});
  for (auto& task : posted) task();
}

void VirtualLoop::Settle() {
  for (int turn = 0; !posted_.empty() || !retired_.empty(); ++turn) {
    INVARIANT(turn < 100'000);
    Turn();
  }
}

void VirtualLoop::Advance(Duration by) {
  const BootTime end = now_ + by;
  Settle();
  while (!timers_.empty() && timers_.begin()->first <= end) {
    auto first = timers_.extract(timers_.begin());
    if (!first.mapped().awaited()) continue;
    now_ = std::max(now_, first.key());
    first.mapped()(0);
    Settle();
  }
  now_ = end;
}

}  // namespace idem::support

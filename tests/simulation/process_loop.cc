#include "tests/simulation/process_loop.h"

#include <utility>

namespace idem::simulation {

Ticket ProcessLoop::After(Duration delay, Function<void()> task) {
  auto [ticket, completion] = Ask<int>([task = std::move(task)](int) mutable { task(); });
  timeline_.After(delay, [this, completion = std::move(completion)]() mutable {
    if (!completion.awaited()) return;
    Run([completion = std::move(completion)]() mutable { completion(0); });
  });
  return std::move(ticket);
}

void ProcessLoop::Arrive(Duration delay, Function<void()> task) {
  timeline_.After(delay, [this, task = std::move(task)]() mutable { Run(std::move(task)); });
}

void ProcessLoop::Run(Function<void()> task) {
  if (!dead_ && !suspended_) on_step_();
  if (dead_) return;
  if (suspended_) {
    held_.push_back(std::move(task));
    return;
  }
  task();
  Settle();
  on_step_();
}

void ProcessLoop::Settle() {
  while (!dead_ && (!posted_.empty() || !retired_.empty())) {
    auto retired = std::exchange(retired_, {});
    retired.clear();
    auto posted = std::exchange(posted_, {});
    for (auto& task : posted) task();
  }
}

void ProcessLoop::Suspend(Duration pause) {
  if (dead_ || suspended_) return;
  suspended_ = true;
  timeline_.After(pause, [this] { Resume(); });
}

void ProcessLoop::Resume() {
  suspended_ = false;
  auto held = std::exchange(held_, {});
  for (auto& task : held) Run(std::move(task));
}

void ProcessLoop::Stop() {
  dead_ = true;
  retired_.clear();
}

void ProcessLoop::Die() {
  Stop();
  posted_.clear();
  held_.clear();
}

}  // namespace idem::simulation

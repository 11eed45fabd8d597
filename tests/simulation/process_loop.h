// The loop of one simulated process. It stops with the process: a task that arrives after its death
// is dropped. A task that arrives while it is suspended waits, in order, until it continues; every
// clock goes on meanwhile.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "proxy/base/loop.h"
#include "tests/simulation/timeline.h"

namespace idem::simulation {

/// The timeline still refers to it after its death, so it is kept until the world ends.
class ProcessLoop final : public Loop {
 public:
  /// `on_step` is called before and after each turn. The process may die or be suspended there.
  ProcessLoop(Timeline& timeline, std::function<void()> on_step)
      : timeline_(timeline), on_step_(std::move(on_step)) {}
  ~ProcessLoop() override { Die(); }

  void Post(Function<void()> task) override { posted_.push_back(std::move(task)); }
  [[nodiscard]] Ticket After(Duration delay, Function<void()> task) override;
  void DeleteLater(std::unique_ptr<Retirable> retired) override {
    retired_.push_back(std::move(retired));
  }
  [[nodiscard]] BootTime Now() const override { return timeline_.now(); }

  /// Schedules a turn of this loop from outside, after `delay`.
  void Arrive(Duration delay, Function<void()> task);
  /// Schedules a turn of this loop from outside, now.
  void Run(Function<void()> task);

  void Suspend(Duration pause);
  /// Stops the loop for good and destroys the objects that were to be deleted later.
  void Stop();
  /// Drops the remaining tasks. Their callers no longer exist.
  void Die();
  [[nodiscard]] bool suspended() const { return suspended_; }

 private:
  void Settle();
  void Resume();

  Timeline& timeline_;
  const std::function<void()> on_step_;
  bool dead_ = false;
  bool suspended_ = false;
  std::deque<Function<void()>> posted_;
  std::deque<Function<void()>> held_;  // tasks that arrived while it was suspended
  std::vector<std::unique_ptr<Retirable>> retired_;
};

}  // namespace idem::simulation

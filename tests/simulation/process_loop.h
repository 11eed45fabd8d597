// The loop of one simulated process. It stops with the process: whatever arrives after its death is
// dropped, and what arrives while it is suspended waits, in order, for the moment at which it goes
// on, while every clock goes on without it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "proxy/base/loop.h"
#include "tests/simulation/timeline.h"

namespace idem::simulation {

/// The timeline still names it after its death: it is kept until the world ends.
class ProcessLoop final : public Loop {
 public:
  /// `on_step` is asked before and after each turn: the process may die or be suspended there.
  ProcessLoop(Timeline& timeline, std::function<void()> on_step)
      : timeline_(timeline), on_step_(std::move(on_step)) {}
  ~ProcessLoop() override { Die(); }

  void Post(Function<void()> task) override { posted_.push_back(std::move(task)); }
  [[nodiscard]] Ticket After(Duration delay, Function<void()> task) override;
  void DeleteLater(std::unique_ptr<Retirable> retired) override {
    retired_.push_back(std::move(retired));
  }
  [[nodiscard]] BootTime Now() const override { return timeline_.now(); }

  /// From outside: a turn of this loop, after `delay`.
  void Arrive(Duration delay, Function<void()> task);
  /// From outside: a turn of this loop, now.
  void Run(Function<void()> task);

  void Suspend(Duration pause);
  /// Nothing runs here any more, and what was to be deleted later is deleted.
  void Stop();
  /// What was still to run is dropped: all who asked for it are gone by now.
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
  std::deque<Function<void()>> held_;  // what arrived while it was suspended
  std::vector<std::unique_ptr<Retirable>> retired_;
};

}  // namespace idem::simulation

// A loop on a clock that only the test moves.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "proxy/base/loop.h"

namespace idem::support {

class VirtualLoop final : public Loop {
 public:
  ~VirtualLoop() override;

  void Post(Function<void()> task) override { posted_.push_back(std::move(task)); }
  [[nodiscard]] Ticket After(Duration delay, Function<void()> task) override;
  void DeleteLater(std::unique_ptr<Retirable> retired) override {
    retired_.push_back(std::move(retired));
  }
  [[nodiscard]] BootTime Now() const override { return now_; }

  /// Turns until no task is posted. The number of turns is limited, because a loop that feeds
  /// itself is a bug.
  void Settle();
  /// Moves the clock by `by`. Each timer runs at its own time, and the loop settles after each.
  void Advance(Duration by);
  [[nodiscard]] bool idle() const { return posted_.empty() && timers_.empty(); }

 private:
  void Turn();

  BootTime now_{std::chrono::hours(1000)};
  std::deque<Function<void()>> posted_;
  std::multimap<BootTime, Completion<int>> timers_;
  std::vector<std::unique_ptr<Retirable>> retired_;
};

}  // namespace idem::support

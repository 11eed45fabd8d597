// Lets a member function see that a callback destroyed its object. For event/ and forward/.
//
//   DestructionGuard::Watch watch(lifeline_);
//   events_.OnData();
//   if (watch.destroyed()) return;  // `this` is gone
#pragma once

#include <utility>

namespace idem::event {

/// A member of the object that may be destroyed.
class DestructionGuard {
 public:
  DestructionGuard() = default;
  DestructionGuard(const DestructionGuard&) = delete;
  DestructionGuard& operator=(const DestructionGuard&) = delete;
  ~DestructionGuard() {
    if (watch_ != nullptr) watch_->cut_ = true;
  }

  /// Lives on the stack. Watches may be nested.
  class Watch {
   public:
    explicit Watch(DestructionGuard& line)
        : line_(line), outer_(std::exchange(line.watch_, this)) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
      if (!cut_) {
        line_.watch_ = outer_;
      } else if (outer_ != nullptr) {
        outer_->cut_ = true;
      }
    }
    [[nodiscard]] bool destroyed() const { return cut_; }

   private:
    friend class DestructionGuard;
    DestructionGuard& line_;
    Watch* outer_;
    bool cut_ = false;
  };

 private:
  Watch* watch_ = nullptr;
};

}  // namespace idem::event

// A deadline that is moved with every request and hardly ever met: moving it later costs no call of
// the event loop. The timer below it runs out at the time that was first asked for and looks again.
#pragma once

#include <optional>

#include "proxy/base/loop.h"

namespace idem::http_server {

class LazyTimer {
 public:
  LazyTimer(Loop& loop, Function<void()> on_due);

  /// `on_due` runs once, not before `delay` has passed from now on; an earlier Set() is forgotten.
  void Set(Duration delay);
  void Clear() { due_.reset(); }
  [[nodiscard]] bool running() const { return due_.has_value(); }

 private:
  void Arm(BootTime at);
  void OnTimer();

  Loop& loop_;
  Function<void()> on_due_;
  std::optional<BootTime> due_;
  std::optional<BootTime> armed_for_;
  Ticket timer_;
};

}  // namespace idem::http_server

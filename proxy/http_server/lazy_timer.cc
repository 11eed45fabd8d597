#include "proxy/http_server/lazy_timer.h"

#include <utility>

namespace idem::http_server {

LazyTimer::LazyTimer(Loop& loop, Function<void()> on_due)
    : loop_(loop), on_due_(std::move(on_due)) {}

void LazyTimer::Set(Duration delay) {
  due_ = loop_.Now() + delay;
  if (!armed_for_ || *due_ < *armed_for_) Arm(*due_);
}

void LazyTimer::Arm(BootTime at) {
  armed_for_ = at;
  timer_ = loop_.After(at - loop_.Now(), [this] { OnTimer(); });
}

void LazyTimer::OnTimer() {
  armed_for_.reset();
  if (!due_) return;
  if (loop_.Now() < *due_) return Arm(*due_);
  due_.reset();
  on_due_();
}

}  // namespace idem::http_server

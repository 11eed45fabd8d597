#include "proxy/base/deadlines.h"

#include <utility>

namespace idem {

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

void TimeoutList::Entry::Start(TimeoutList& list) {
  Stop();
  due_ = list.loop_.Now() + list.timeout_;
  list_ = &list;
  previous_ = std::exchange(list.last_, this);
  (previous_ != nullptr ? previous_->next_ : list.first_) = this;
  if (!list.timer_.open()) list.Arm(list.timeout_);
}

void TimeoutList::Entry::Stop() {
  if (list_ == nullptr) return;
  (previous_ != nullptr ? previous_->next_ : list_->first_) = next_;
  (next_ != nullptr ? next_->previous_ : list_->last_) = previous_;
  previous_ = next_ = nullptr;
  list_ = nullptr;
}

TimeoutList::~TimeoutList() {
  while (first_ != nullptr) first_->Stop();
}

void TimeoutList::Arm(Duration delay) {
  timer_ = loop_.After(delay, [this] { OnTimer(); });
}

void TimeoutList::OnTimer() {
  const BootTime now = loop_.Now();
  while (first_ != nullptr && first_->due_ <= now) {
    Entry& due = *first_;
    due.Stop();
    due.on_timeout_();  // may destroy the entry and start others
  }
  if (first_ != nullptr) Arm(first_->due_ - now);
}

}  // namespace idem

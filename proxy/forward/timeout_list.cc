#include "proxy/forward/timeout_list.h"

#include <utility>

namespace idem::forward {

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
    due.on_timeout_();  // may destroy the entry, and start others
  }
  if (first_ != nullptr) Arm(first_->due_ - now);
}

}  // namespace idem::forward

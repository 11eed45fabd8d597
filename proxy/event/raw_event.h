// One libevent event that cannot outlive its owner. Private to event/.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <algorithm>
#include <optional>

#include "proxy/base/clock.h"
#include "proxy/base/invariant.h"

namespace idem::event {

/// Rounded up to what libevent counts in; never negative.
inline timeval ToTimeval(Duration duration) {
  const auto micros =
      std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::microseconds>(duration).count());
  return {.tv_sec = micros / 1'000'000, .tv_usec = micros % 1'000'000};
}

/// Not movable: libevent keeps its address while it is added.
class RawEvent {
 public:
  RawEvent() = default;
  ~RawEvent() {
    if (assigned_) event_del(&event_);
  }
  RawEvent(const RawEvent&) = delete;
  RawEvent& operator=(const RawEvent&) = delete;

  /// `callback` must be noexcept; it is given `context`. Takes the event off the loop first.
  void Assign(event_base* base, int socket, short what, event_callback_fn callback, void* context) {
    if (assigned_) event_del(&event_);
    INVARIANT(event_assign(&event_, base, socket, what, callback, context) == 0);
    assigned_ = true;
    added_ = false;
  }
  /// Watches from now on. Harmless when it already does, but for a timeout, which starts anew.
  void Add(std::optional<Duration> timeout = {}) {
    if (added_ && !timeout) return;
    const timeval time = ToTimeval(timeout.value_or(Duration::zero()));
    // libevent does not begin to watch for an event that is about to run: that is done again after.
    const int about_to_run = added_ ? 0 : event_pending(&event_, EV_READ | EV_WRITE, nullptr);
    if (about_to_run != 0) event_del(&event_);
    INVARIANT(event_add(&event_, timeout ? &time : nullptr) == 0);
    if (about_to_run != 0) Activate(static_cast<short>(about_to_run));
    added_ = true;
  }
  /// Watches no longer, and takes back an activation that has not run.
  void Remove() {
    if (assigned_) event_del(&event_);
    added_ = false;
  }
  /// As before Assign(): the loop may go first.
  void Unassign() {
    Remove();
    assigned_ = false;
  }
  /// Runs the callback on the loop's next look at its events, without asking the kernel.
  void Activate(short what) { event_active(&event_, what, 1); }
  /// What libevent has done by itself: an event that is not persistent is taken off when it runs.
  void NoteRemoved() { added_ = false; }
  [[nodiscard]] bool added() const { return added_; }

 private:
  struct event event_ {};
  bool assigned_ = false;
  bool added_ = false;
};

}  // namespace idem::event

// One libevent event that cannot outlive its owner. Private to event/.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <algorithm>
#include <optional>

#include "proxy/base/clock.h"
#include "proxy/base/invariant.h"

namespace idem::event {

/// Rounds up to microseconds, the unit of libevent. Negative durations become zero.
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

  /// Removes the event from its loop first. `callback` must be noexcept and gets `context`.
  void Assign(event_base* base, int socket, short what, event_callback_fn callback, void* context) {
    if (assigned_) event_del(&event_);
    INVARIANT(event_assign(&event_, base, socket, what, callback, context) == 0);
    assigned_ = true;
    added_ = false;
  }
  /// Begins to watch. If it already watches, only the timeout starts again.
  void Add(std::optional<Duration> timeout = {}) {
    if (added_ && !timeout) return;
    const timeval time = ToTimeval(timeout.value_or(Duration::zero()));
    // libevent does not add an event that is about to run, so it is removed, added and activated.
    const int about_to_run = added_ ? 0 : event_pending(&event_, EV_READ | EV_WRITE, nullptr);
    if (about_to_run != 0) event_del(&event_);
    INVARIANT(event_add(&event_, timeout ? &time : nullptr) == 0);
    if (about_to_run != 0) Activate(static_cast<short>(about_to_run));
    added_ = true;
  }
  /// Stops watching, and withdraws an activation that has not run.
  void Remove() {
    if (assigned_) event_del(&event_);
    added_ = false;
  }
  /// Returns to the state before Assign(). The loop may then be destroyed first.
  void Unassign() {
    Remove();
    assigned_ = false;
  }
  /// Runs the callback at the loop's next poll, without asking the kernel.
  void Activate(short what) { event_active(&event_, what, 1); }
  /// Called by the callback of an event that is not persistent: libevent has removed it.
  void NoteRemoved() { added_ = false; }
  [[nodiscard]] bool added() const { return added_; }

 private:
  struct event event_ {};
  bool assigned_ = false;
  bool added_ = false;
};

}  // namespace idem::event

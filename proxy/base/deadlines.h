// Deadlines that are started often and rarely reached, so that a request arms no timer of the loop.
//
// Which one to use:
// - Loop::After() if the deadline is started rarely, or nearly always reached.
// - LazyTimer if each object has a deadline of its own, which is moved again and again: one timer
//   for each object, for any delays. The connections of clients use it.
// - TimeoutList if many objects have deadlines of one length: one timer for all of them. The
//   upstream calls use it.
#pragma once

#include <optional>

#include "proxy/base/loop.h"

namespace idem {

/// Moving the deadline to a later time makes no call of the event loop. The loop's timer expires at
/// the time that was set first, and is armed again for the rest.
class LazyTimer {
 public:
  LazyTimer(Loop& loop, Function<void()> on_due);

  /// `on_due` runs once, when `delay` has passed. Replaces an earlier Set().
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

/// The last deadline to start is the last to expire, so a list in the order of starting is in the
/// order of expiry, and starting or stopping one changes a few pointers. The timer runs when the
/// first deadline expires; if that was stopped meanwhile, it is armed for the next one.
class TimeoutList {
 public:
  /// One deadline, a member of the object that it limits. It does not run until Start().
  class Entry {
   public:
    explicit Entry(Function<void()> on_timeout) : on_timeout_(std::move(on_timeout)) {}
    ~Entry() { Stop(); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    /// Starts with the list's timeout from now on. Stops it first, on this or another list.
    void Start(TimeoutList& list);
    void Stop();
    [[nodiscard]] bool running() const { return list_ != nullptr; }

   private:
    friend class TimeoutList;
    Function<void()> on_timeout_;
    BootTime due_;
    TimeoutList* list_ = nullptr;
    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;
  };

  TimeoutList(Loop& loop, Duration timeout) : loop_(loop), timeout_(timeout) {}
  ~TimeoutList();  // stops its entries without a call
  TimeoutList(const TimeoutList&) = delete;
  TimeoutList& operator=(const TimeoutList&) = delete;

 private:
  void OnTimer();
  void Arm(Duration delay);

  Loop& loop_;
  const Duration timeout_;
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
  Ticket timer_;
};

}  // namespace idem

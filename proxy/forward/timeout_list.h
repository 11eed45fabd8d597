// Many deadlines of the same length on one timer.
#pragma once

#include "proxy/base/loop.h"

namespace idem::forward {

/// The entry that starts last is due last, so a list in order of starting is in order of deadlines.
/// Starting or stopping an entry changes a few pointers and arms no timer of the loop. The one
/// timer fires at the first deadline; if that entry was stopped meanwhile, it is set to the next
/// one.
class TimeoutList {
 public:
  /// One deadline, a member of the object that it guards. It is stopped at first.
  class Entry {
   public:
    explicit Entry(Function<void()> on_timeout) : on_timeout_(std::move(on_timeout)) {}
    ~Entry() { Stop(); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    /// Runs from now for the list's time. A running entry is stopped first, on this list or
    /// another.
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
  ~TimeoutList();  // stops its entries without calling them
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

}  // namespace idem::forward

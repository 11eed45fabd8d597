// Limits how many calls to one upstream may be under way in the whole process.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

#include "proxy/base/loop.h"

namespace idem::forward {

/// Shared by all workers and first come, first served across them. It outlives every slot and every
/// ticket that it gave. The caller limits its wait by dropping the ticket.
class InFlightLimit {
 public:
  /// Permission for one call, returned when destroyed. An empty slot is a refusal, because the
  /// queue is full.
  class Slot {
   public:
    Slot() = default;
    explicit Slot(InFlightLimit* limit) : limit_(limit) {}
    Slot(Slot&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept {
      Release();
      limit_ = std::exchange(other.limit_, nullptr);
      return *this;
    }
    ~Slot() { Release(); }
    void Release() {
      if (limit_ != nullptr) std::exchange(limit_, nullptr)->Leave();
    }
    explicit operator bool() const { return limit_ != nullptr; }

   private:
    InFlightLimit* limit_ = nullptr;
  };

  /// The queue is as long as the limit.
  explicit InFlightLimit(std::size_t max) : max_(max) {}
  ~InFlightLimit();
  InFlightLimit(const InFlightLimit&) = delete;
  InFlightLimit& operator=(const InFlightLimit&) = delete;

  /// Asks for a slot; the answer comes on `loop`. Any worker's thread may call it.
  [[nodiscard]] Ticket Enter(Loop& loop, Function<void(Slot)> on_slot);
  /// Changes the limit on a reload. A smaller limit takes effect as slots come back.
  void SetMax(std::size_t max);
  [[nodiscard]] std::size_t in_flight() const;

 private:
  struct Question;
  struct Waiting {
    Loop* loop;
    Completion<Slot> completion;
  };
  void Leave();
  void DropWithdrawn();
  void AdmitWaiting();
  static void Answer(Waiting waiting, Slot slot);

  mutable std::mutex mutex_;  // guards all members below
  std::size_t max_;
  std::size_t in_flight_ = 0;
  std::deque<Waiting> queue_;
};

}  // namespace idem::forward

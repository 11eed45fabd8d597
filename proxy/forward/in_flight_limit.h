// How many calls of one upstream may be under way in the whole process.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

#include "proxy/base/loop.h"

namespace idem::forward {

/// Shared by all workers; first come, first served across them. It outlives every slot and every
/// ticket that it gave. How long one waits is the asker's to limit, by dropping the ticket.
class InFlightLimit {
 public:
  /// The right to be under way, given back when destroyed. An empty one is a refusal: the queue is
  /// full.
  class Slot {
   public:
    Slot() = default;
    explicit Slot(InFlightLimit* gate) : gate_(gate) {}
    Slot(Slot&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept {
      Release();
      gate_ = std::exchange(other.gate_, nullptr);
      return *this;
    }
    ~Slot() { Release(); }
    void Release() {
      if (gate_ != nullptr) std::exchange(gate_, nullptr)->Leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    InFlightLimit* gate_ = nullptr;
  };

  /// As many as may be under way may also wait.
  explicit InFlightLimit(std::size_t max) : max_(max) {}
  ~InFlightLimit();
  InFlightLimit(const InFlightLimit&) = delete;
  InFlightLimit& operator=(const InFlightLimit&) = delete;

  /// Any worker's thread; answered on `loop`.
  [[nodiscard]] Ticket Enter(Loop& loop, Function<void(Slot)> on_slot);
  /// For a reload: a smaller one takes effect as slots come back.
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

  mutable std::mutex mutex_;  // all below
  std::size_t max_;
  std::size_t in_flight_ = 0;
  std::deque<Waiting> queue_;
};

}  // namespace idem::forward

// The requests of this process that wait for a key: duplicates of a claim that is executing, here
// or in another replica.
//
// The workers of a process share it behind one lock, which is held for a few pointer operations (a
// key without duplicates costs one hash). A wake-up is only a hint: a waiter that is woken asks the
// store again. The first waiter of each key also asks the store without a hint, with growing
// pauses, so that a lost hint costs a pause and not an answer.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/base/loop.h"

namespace idem::exchange {

/// A waiting request. It must leave before it is destroyed.
class KeyWaiter {
 public:
  virtual ~KeyWaiter() = default;
  /// Called on the waiter's own loop: it should ask the store now.
  virtual void OnWoken() = 0;
};

class KeyWaitQueue {
 public:
  struct Limits {
    std::size_t waiters_max = 2500;
    std::size_t bytes_max = 64 * 1024 * 1024;
  };
  explicit KeyWaitQueue(Limits limits) : limits_(limits) {}

  /// A place in a key's queue. Move-only. Dropping it leaves the queue, and the next waiter becomes
  /// the first.
  class Seat {
   public:
    Seat() = default;
    Seat(Seat&& other) noexcept;
    Seat& operator=(Seat&& other) noexcept;
    ~Seat() { Leave(); }
    void Leave();
    [[nodiscard]] bool held() const { return waiters_ != nullptr; }
    /// Returns true for the first waiter of a key, which asks the store for all of them.
    [[nodiscard]] bool is_first() const;

   private:
    friend class KeyWaitQueue;
    KeyWaitQueue* waiters_ = nullptr;
    std::string key_;
    std::uint64_t number_ = 0;
    std::size_t bytes_ = 0;
  };

  /// Returns a seat that is not held if the key has `per_key_max` waiters already, or a limit of
  /// the process is reached.
  [[nodiscard]] Seat Join(std::string_view record_key, KeyWaiter& waiter, Loop& loop,
                          std::size_t per_key_max, std::size_t bytes);

  /// Called when the claim of a key has ended. A release wakes the first waiter, which executes;
  /// any other ending wakes all waiters.
  void WakeFirst(std::string_view record_key);
  void WakeAll(std::string_view record_key);

  [[nodiscard]] std::size_t count() const;

 private:
  // A posted wake-up finds its waiter by the number, because the waiter may leave before.
  struct Waiting {
    KeyWaiter* waiter;
    Loop* loop;
    std::uint64_t number;
  };
  void Wake(std::string_view record_key, std::size_t at_most);
  void Deliver(const std::string& record_key, std::uint64_t number);
  void Leave(const std::string& record_key, std::uint64_t number, std::size_t bytes);

  const Limits limits_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::deque<Waiting>> keys_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t next_number_ = 1;
};

}  // namespace idem::exchange

// Who waits in this process for which key: the duplicates of a claim that is executing, here or in
// another replica.
//
// Shared by the workers of a process, behind one lock (held for a few pointer operations; a key
// without duplicates is never looked up by more than a hash). A wake-up is a hint, never a truth:
// whoever is woken asks the store again. So that a lost hint costs a pause and not an answer, the
// first waiter of each key also asks the store by itself, with growing pauses.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/base/loop.h"

namespace idem::exchange {

/// A request that waits. It must leave before it is destroyed.
class KeyWaiter {
 public:
  virtual ~KeyWaiter() = default;
  /// On the waiter's own loop: look again now.
  virtual void OnWoken() = 0;
};

class KeyWaitQueue {
 public:
  struct Limits {
    std::size_t waiters_max = 2500;
    std::size_t bytes_max = 64 * 1024 * 1024;
  };
  explicit KeyWaitQueue(Limits limits) : limits_(limits) {}

  /// A place in a key's queue. Move-only; leaving is dropping it, and passes the first place on.
  class Seat {
   public:
    Seat() = default;
    Seat(Seat&& other) noexcept;
    Seat& operator=(Seat&& other) noexcept;
    ~Seat() { Leave(); }
    void Leave();
    [[nodiscard]] bool held() const { return waiters_ != nullptr; }
    /// This waiter is the first of its key: it asks the store for all of them.
    [[nodiscard]] bool is_first() const;

   private:
    friend class KeyWaitQueue;
    KeyWaitQueue* waiters_ = nullptr;
    std::string key_;
    std::uint64_t number_ = 0;
    std::size_t bytes_ = 0;
  };

  /// Not held when the key has `per_key_max` waiters already or a bound of the process is reached.
  [[nodiscard]] Seat Join(std::string_view record_key, KeyWaiter& waiter, Loop& loop,
                          std::size_t per_key_max, std::size_t bytes);

  /// The claim of a key has ended. A released one wakes the first waiter, to execute; any other end
  /// wakes all.
  void WakeFirst(std::string_view record_key);
  void WakeAll(std::string_view record_key);

  [[nodiscard]] std::size_t count() const;

 private:
  // What a posted wake-up holds: the waiter may leave before it runs.
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

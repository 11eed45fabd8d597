// The two algorithms of ports::RateLimiter, each as the count of one subject. The caller passes the
// time. For one thread; limit_table.h shares them between threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/ports/rate_limiter.h"

namespace idem::store {

/// The accepted tokens and their times, oldest first, in one block of memory that grows to the
/// largest size needed so far.
class AcceptedRing {
 public:
  struct Entry {
    StoreTime at{};
    idempotency::Token token;
  };
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const Entry& operator[](std::size_t index) const {
    return entries_[(first_ + index) % entries_.size()];
  }
  [[nodiscard]] bool Holds(const idempotency::Token& token) const;
  void Push(Entry entry);
  void DropOldest();

 private:
  void Grow();
  std::vector<Entry> entries_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

/// Exact: holds every accepted request that still counts, so at most `requests` of them.
///
///        now - per                      now
///   ────────(────●────●──────────●──●────]
///                └ leaves first: then one place more is free (`reset`)
class SlidingWindow {
 public:
  [[nodiscard]] ports::LimitResult Count(const idempotency::Token& token,
                                         const ports::LimitRule& rule, StoreTime now);
  /// From then on this is as new.
  [[nodiscard]] StoreTime idle_at(const ports::LimitRule& rule) const;

 private:
  AcceptedRing accepted_;
};

/// Holds when the bucket will be full again; each request moves that by per / requests, and at most
/// `burst` (0: `requests`) of these intervals may lie ahead.
class TokenBucket {
 public:
  [[nodiscard]] ports::LimitResult Count(const idempotency::Token& token,
                                         const ports::LimitRule& rule, StoreTime now);
  [[nodiscard]] StoreTime idle_at(const ports::LimitRule& rule) const;

 private:
  static constexpr std::size_t kTokensMax = 64;  // so many of the last ones are known again

  std::chrono::sys_time<Duration> full_at_{};
  AcceptedRing accepted_;
};

}  // namespace idem::store

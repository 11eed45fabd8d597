// The counts behind /metrics. Only metrics.cc uses prometheus-cpp.
//
// The workers of a process share one Metrics; every member is thread-safe. The series of a request
// are looked up once and kept as handles, so that counting is an atomic addition.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/telemetry/access_line.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
template <typename T>
class Family;
class Registry;
}  // namespace prometheus

namespace idem::telemetry {

// Handles may be copied. They are valid as long as the Metrics that made them.

/// A count that only grows.
class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  void Add(std::uint64_t amount = 1) const;
  [[nodiscard]] std::uint64_t value() const;

 private:
  prometheus::Counter* counter_;
};

/// A value that grows and shrinks.
class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void Add(std::int64_t amount) const;
  void Set(std::int64_t value) const;
  [[nodiscard]] std::int64_t value() const;

 private:
  prometheus::Gauge* gauge_;
};

/// Counts durations by size.
class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  void Observe(Duration duration) const;

 private:
  prometheus::Histogram* histogram_;
};

enum class StoreOperation : std::uint8_t {
  kBegin,
  kComplete,
  kRelease,
  kMarkUnknown,
  kWithdraw,
  kLook,
  kCount,  // only the rate limit
  kClaimLookUp,
};
inline constexpr std::size_t kStoreOperations = 8;

enum class StoreResult : std::uint8_t {
  kClaimed,
  kHeld,
  kLimited,
  kWithdrawn,
  kDone,
  kRewritten,
  kFailed,  // an error or a timeout
};
inline constexpr std::size_t kStoreResults = 7;

struct Families;

/// The series of one route.
class RouteMetrics {
 public:
  RouteMetrics(Families& families, std::string_view route);
  RouteMetrics(const RouteMetrics&) = delete;
  RouteMetrics& operator=(const RouteMetrics&) = delete;

  /// Counts a finished request: its decision, the class of its status, and its durations. The
  /// duration of a step is counted only if the step was taken.
  void CountRequest(const AccessLine& line);
  /// Counts a request that the rate limit refused.
  void CountRateLimited() { rate_limited_.Add(); }
  /// Counts a failure of the backend. `problem` is one of a few words: "timeout", "reset".
  void CountUpstreamFailure(std::string_view problem);
  /// Counts a request in `mode: observe`. `would` is the decision that enforcing would have made,
  /// one of a few words: "replayed".
  void CountObserved(std::string_view would);
  /// Counts a request that sent a key on a route, or with a method, where nothing looks at it.
  /// Returns true for the first one of the route in this process.
  bool CountUnusedKey();
  /// Counts a look-up by the meaning of its answer: "found", "absent", "unclear".
  void CountLookUp(std::string_view result);

 private:
  static constexpr std::size_t kStatusClasses = 6;  // no status, then 1xx to 5xx

  Counter Requests(RequestDecision decision, std::size_t status_class);

  Families& families_;
  std::string route_;
  Histogram total_, auth_, limit_, store_, upstream_;
  Counter rate_limited_;
  Counter unused_keys_;
  std::atomic<bool> unused_key_seen_{false};
  // A series is created at its first count, so /metrics lists no series without events.
  std::array<std::atomic<prometheus::Counter*>, kDecisions * kStatusClasses> requests_{};
};

class Metrics {
 private:  // comes first, because the handles below are made from it
  std::unique_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Families> families_;

 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Returns the series of the route with that name, made at first use. "" is for requests that
  /// were refused before they had a route. They live as long as this Metrics, so a reload keeps the
  /// counts of a route that stays.
  [[nodiscard]] RouteMetrics& Route(std::string_view name);
  void CountStoreOperation(StoreOperation operation, StoreResult result);

  /// Returns the text exposition format (version 0.0.4).
  [[nodiscard]] std::string Render() const;

  const Gauge claims_executing;
  const Gauge waiters;
  const Gauge unrecorded;         // outcomes that are not in the store yet
  const Gauge unrecorded_bytes;   // bytes held for them
  const Counter unrecorded_sent;  // answers that were sent before their record was written
  const Counter duplicate_effect_possible;
  // Claims that were executing when the process exited at the end of its grace period.
  const Counter claims_cut;
  const Gauge client_connections;
  const Gauge upstream_connections;

 private:
  Counter StoreOperations(StoreOperation operation, StoreResult result);

  std::array<std::atomic<prometheus::Counter*>, kStoreOperations * kStoreResults>
      store_operations_{};
  std::mutex routes_mutex_;
  std::map<std::string, RouteMetrics, std::less<>> routes_;
};

}  // namespace idem::telemetry

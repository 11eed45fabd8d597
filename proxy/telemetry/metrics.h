// What is counted, for /metrics. telemetry/ is the one home of prometheus-cpp; its names stay in
// metrics.cc.
//
// One Metrics for a process, shared by its workers: every member may be called by any thread. What
// a request counts is looked up once and kept as a handle, so that counting is an atomic addition.
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

// Handles: copied freely, good as long as the Metrics they came from.

/// Only grows.
class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  void Add(std::uint64_t amount = 1) const;
  [[nodiscard]] std::uint64_t value() const;

 private:
  prometheus::Counter* counter_;
};

/// Grows and shrinks.
class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void Add(std::int64_t amount) const;
  void Set(std::int64_t value) const;
  [[nodiscard]] std::int64_t value() const;

 private:
  prometheus::Gauge* gauge_;
};

/// How often which duration was seen.
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
  kCount,  // the rate limit by itself
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
  kFailed,  // an error, or no answer in time
};
inline constexpr std::size_t kStoreResults = 7;

struct Families;

/// What the requests of one route count.
class RouteMetrics {
 public:
  RouteMetrics(Families& families, std::string_view route);
  RouteMetrics(const RouteMetrics&) = delete;
  RouteMetrics& operator=(const RouteMetrics&) = delete;

  /// A finished request: its decision, the class of its status, and its durations, a part only
  /// where that step was taken.
  void CountRequest(const AccessLine& line);
  /// A request that the rate limit refused.
  void CountRateLimited() { rate_limited_.Add(); }
  /// `problem` is one of a few words: "timeout", "reset".
  void CountUpstreamFailure(std::string_view problem);
  /// `mode: observe`: what enforcing would have done, one of a few words: "replayed".
  void CountObserved(std::string_view would);
  /// What the backend's answer to a look-up meant: "found", "absent", "unclear".
  void CountLookUp(std::string_view result);

 private:
  static constexpr std::size_t kStatusClasses = 6;  // none, then 1xx to 5xx

  Counter Requests(RequestDecision verdict, std::size_t status_class);

  Families& families_;
  std::string route_;
  Histogram total_, auth_, limit_, store_, upstream_;
  Counter rate_limited_;
  // Made when first counted, so that /metrics shows no series that never happened.
  std::array<std::atomic<prometheus::Counter*>, kVerdicts * kStatusClasses> requests_{};
};

class Metrics {
 private:  // first, because the handles below are made from it
  std::unique_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Families> families_;

 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Those of the route with that name, made at first use; "" for requests refused before they had
  /// a route. They live as long as this: a reload keeps the counts of a route that stays.
  [[nodiscard]] RouteMetrics& Route(std::string_view name);
  void CountStoreOperation(StoreOperation operation, StoreResult result);

  /// The text exposition format (version 0.0.4).
  [[nodiscard]] std::string Render() const;

  const Gauge claims_executing;
  const Gauge waiters;
  const Gauge unrecorded;         // outcomes that the store has not taken yet
  const Gauge unrecorded_bytes;   // held for them
  const Counter unrecorded_sent;  // answers that went out before their record
  const Counter duplicate_effect_possible;
  const Counter claims_cut;  // executing when the process left at the end of its grace
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

#include "proxy/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <sstream>
#include <tuple>
#include <utility>

namespace idem::telemetry {

// The families with one series for each combination of label values.
struct Families {
  prometheus::Family<prometheus::Counter>& requests;
  prometheus::Family<prometheus::Histogram>& duration;
  prometheus::Family<prometheus::Histogram>& part_duration;
  prometheus::Family<prometheus::Counter>& rate_limited;
  prometheus::Family<prometheus::Counter>& unused_keys;
  prometheus::Family<prometheus::Counter>& upstream_failures;
  prometheus::Family<prometheus::Counter>& store_operations;
  prometheus::Family<prometheus::Counter>& look_ups;
  prometheus::Family<prometheus::Counter>& observed;
};

namespace {

prometheus::Family<prometheus::Counter>& CounterFamily(prometheus::Registry& registry,
                                                       const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Histogram>& HistogramFamily(prometheus::Registry& registry,
                                                           const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

prometheus::Counter& OneCounter(prometheus::Registry& registry, const char* name,
                                const char* help) {
  return CounterFamily(registry, name, help).Add({});
}

prometheus::Gauge& OneGauge(prometheus::Registry& registry, const char* name, const char* help,
                            const prometheus::Labels& labels = {}) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
}

std::unique_ptr<Families> MakeFamilies(prometheus::Registry& registry) {
  return std::make_unique<Families>(Families{
      CounterFamily(registry, "idemproxy_requests_total",
                    "Finished requests by route, decision and class of status."),
      HistogramFamily(registry, "idemproxy_request_duration_seconds",
                      "From the request's head to the end of its answer."),
      HistogramFamily(registry, "idemproxy_request_part_duration_seconds",
                      "Share of a request's duration, by part: auth, limit, store, upstream."),
      CounterFamily(registry, "idemproxy_rate_limited_total",
                    "Requests that the rate limit refused."),
      CounterFamily(registry, "idemproxy_unused_keys_total",
                    "Requests with a key on a route, or with a method, that no key protects."),
      CounterFamily(registry, "idemproxy_upstream_failures_total",
                    "Requests to a backend without a complete response, by problem."),
      CounterFamily(registry, "idemproxy_store_operations_total",
                    "Calls to the store, by operation and result."),
      CounterFamily(registry, "idemproxy_look_ups_total",
                    "Look-ups of unknown outcomes at a backend, by result."),
      CounterFamily(
          registry, "idemproxy_observed_total",
          "Requests on routes that observe, by the decision that enforcing would have made."),
  });
}

prometheus::Histogram& Durations(prometheus::Family<prometheus::Histogram>& family,
                                 const prometheus::Labels& labels) {
  static const prometheus::Histogram::BucketBoundaries kSeconds = {
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
      0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30};
  return family.Add(labels, kSeconds);
}

prometheus::Histogram& PartDurations(Families& families, std::string_view route, const char* part) {
  return Durations(families.part_duration, {{"route", std::string(route)}, {"part", part}});
}

// Returns the series of one cell of a table, made at its first use. Two threads that ask at the
// same time get the same series.
template <class Make>
prometheus::Counter& FindOrMake(std::atomic<prometheus::Counter*>& cell, Make make) {
  prometheus::Counter* counter = cell.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &make();
    cell.store(counter, std::memory_order_release);
  }
  return *counter;
}

}  // namespace

void Counter::Add(std::uint64_t amount) const { counter_->Increment(static_cast<double>(amount)); }
std::uint64_t Counter::value() const { return static_cast<std::uint64_t>(counter_->Value()); }

void Gauge::Add(std::int64_t amount) const { gauge_->Increment(static_cast<double>(amount)); }
void Gauge::Set(std::int64_t value) const { gauge_->Set(static_cast<double>(value)); }
std::int64_t Gauge::value() const { return static_cast<std::int64_t>(gauge_->Value()); }

void Histogram::Observe(Duration duration) const {
  histogram_->Observe(std::chrono::duration<double>(duration).count());
}

RouteMetrics::RouteMetrics(Families& families, std::string_view route)
    : families_(families),
      route_(route),
      total_(Durations(families.duration, {{"route", route_}})),
      auth_(PartDurations(families, route, "auth")),
      limit_(PartDurations(families, route, "limit")),
      store_(PartDurations(families, route, "store")),
      upstream_(PartDurations(families, route, "upstream")),
      rate_limited_(families.rate_limited.Add({{"route", route_}})),
      unused_keys_(families.unused_keys.Add({{"route", route_}})) {}

bool RouteMetrics::CountUnusedKey() {
  unused_keys_.Add();
  return !unused_key_seen_.exchange(true);
}

void RouteMetrics::CountRequest(const AccessLine& line) {
  const std::size_t status_class = line.status / 100U;
  Requests(line.verdict, status_class < kStatusClasses ? status_class : 0).Add();
  total_.Observe(line.total);
  const std::pair<const Histogram&, Duration> parts[] = {
      {auth_, line.auth}, {limit_, line.limit}, {store_, line.store}, {upstream_, line.upstream}};
  for (const auto& [histogram, duration] : parts) {
    if (duration > Duration::zero()) histogram.Observe(duration);
  }
}

Counter RouteMetrics::Requests(RequestDecision decision, std::size_t status_class) {
  static const std::string kClasses[kStatusClasses] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  const auto cell = static_cast<std::size_t>(decision) * kStatusClasses + status_class;
  return Counter(FindOrMake(requests_[cell], [&]() -> prometheus::Counter& {
    return families_.requests.Add({{"route", route_},
                                   {"decision", std::string(DecisionText(decision))},
                                   {"class", kClasses[status_class]}});
  }));
}

void RouteMetrics::CountUpstreamFailure(std::string_view problem) {
  families_.upstream_failures.Add({{"route", route_}, {"problem", std::string(problem)}})
      .Increment();
}

void RouteMetrics::CountObserved(std::string_view would) {
  families_.observed.Add({{"route", route_}, {"would", std::string(would)}}).Increment();
}

void RouteMetrics::CountLookUp(std::string_view result) {
  families_.look_ups.Add({{"route", route_}, {"result", std::string(result)}}).Increment();
}

Metrics::Metrics()
    : registry_(std::make_unique<prometheus::Registry>()),
      families_(MakeFamilies(*registry_)),
      claims_executing(OneGauge(*registry_, "idemproxy_claims_executing",
                                "Claims whose outcome is not decided yet.")),
      waiters(OneGauge(*registry_, "idemproxy_waiters",
                       "Duplicates that wait for the first of their key.")),
      unrecorded(OneGauge(*registry_, "idemproxy_unrecorded",
                          "Outcomes that the store has not taken yet.")),
      unrecorded_bytes(OneGauge(*registry_, "idemproxy_unrecorded_bytes",
                                "Bytes held for outcomes that the store has not taken yet.")),
      unrecorded_sent(OneCounter(*registry_, "idemproxy_unrecorded_sent_total",
                                 "Answers that were sent before their record was durable.")),
      duplicate_effect_possible(
          OneCounter(*registry_, "idemproxy_duplicate_effect_possible_total",
                     "Effects on a legacy backend that may have been made twice.")),
      claims_cut(OneCounter(*registry_, "idemproxy_claims_cut_total",
                            "Claims that were executing when the grace of a drain ended.")),
      client_connections(OneGauge(*registry_, "idemproxy_connections", "Open connections by side.",
                                  {{"side", "client"}})),
      upstream_connections(OneGauge(*registry_, "idemproxy_connections",
                                    "Open connections by side.", {{"side", "upstream"}})) {}

Metrics::~Metrics() = default;

RouteMetrics& Metrics::Route(std::string_view name) {
  const std::lock_guard lock(routes_mutex_);
  const auto found = routes_.find(name);
  if (found != routes_.end()) return found->second;
  return routes_
      .emplace(std::piecewise_construct, std::forward_as_tuple(name),
               std::forward_as_tuple(*families_, name))
      .first->second;
}

void Metrics::CountStoreOperation(StoreOperation operation, StoreResult result) {
  StoreOperations(operation, result).Add();
}

Counter Metrics::StoreOperations(StoreOperation operation, StoreResult result) {
  static const std::string kOperations[kStoreOperations] = {
      "begin", "complete", "release", "mark_unknown", "withdraw", "look", "count", "claim_look_up"};
  static const std::string kResults[kStoreResults] = {
      "claimed", "held", "limited", "withdrawn", "done", "rewritten", "failed"};
  const auto row = static_cast<std::size_t>(operation);
  const auto column = static_cast<std::size_t>(result);
  return Counter(
      FindOrMake(store_operations_[row * kStoreResults + column], [&]() -> prometheus::Counter& {
        return families_->store_operations.Add(
            {{"operation", kOperations[row]}, {"result", kResults[column]}});
      }));
}

std::string Metrics::Render() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, registry_->Collect());
  return std::move(text).str();
}

}  // namespace idem::telemetry

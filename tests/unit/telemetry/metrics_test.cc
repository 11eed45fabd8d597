#include "proxy/telemetry/metrics.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace idem::telemetry {

namespace {

using std::chrono::milliseconds;

bool Shows(const Metrics& metrics, const std::string& line) {
  return ("\n" + metrics.Render()).find("\n" + line + "\n") != std::string::npos;
}

AccessLine Finished(RequestDecision verdict, std::uint16_t status) {
  AccessLine line;
  line.verdict = verdict;
  line.status = status;
  line.total = milliseconds(3);
  line.store = milliseconds(2);
  return line;
}

}  // namespace

TEST_CASE("requests are counted by route, decision and class of status") {
  Metrics metrics;
  RouteMetrics& orders = metrics.Route("orders");
  orders.CountRequest(Finished(RequestDecision::kExecuted, 201));
  orders.CountRequest(Finished(RequestDecision::kExecuted, 200));
  orders.CountRequest(Finished(RequestDecision::kReplayed, 201));
  metrics.Route("").CountRequest(Finished(RequestDecision::kRefused, 404));
  metrics.Route("orders").CountRequest(Finished(RequestDecision::kFailed, 0));

  const std::string name = "idemproxy_requests_total";
  CAPTURE(metrics.Render());
  CHECK(Shows(metrics, name + R"({class="2xx",decision="executed",route="orders"} 2)"));
  CHECK(Shows(metrics, name + R"({class="2xx",decision="replayed",route="orders"} 1)"));
  CHECK(Shows(metrics, name + R"({class="4xx",decision="refused",route=""} 1)"));
  CHECK(Shows(metrics, name + R"({class="none",decision="failed",route="orders"} 1)"));
}

TEST_CASE("durations are in seconds, a part only where that step was taken") {
  Metrics metrics;
  metrics.Route("orders").CountRequest(Finished(RequestDecision::kExecuted, 201));
  const std::string total = "idemproxy_request_duration_seconds";
  const std::string part = "idemproxy_request_part_duration_seconds";
  CAPTURE(metrics.Render());
  CHECK(Shows(metrics, total + R"(_bucket{route="orders",le="0.0025"} 0)"));
  CHECK(Shows(metrics, total + R"(_bucket{route="orders",le="0.005"} 1)"));
  CHECK(Shows(metrics, total + R"(_count{route="orders"} 1)"));
  CHECK(Shows(metrics, total + R"(_sum{route="orders"} 0.003)"));
  CHECK(Shows(metrics, part + R"(_count{part="store",route="orders"} 1)"));
  CHECK(Shows(metrics, part + R"(_count{part="upstream",route="orders"} 0)"));
}

TEST_CASE("what can go wrong is counted") {
  Metrics metrics;
  metrics.Route("orders").CountRateLimited();
  metrics.Route("orders").CountUpstreamFailure("timeout");
  metrics.Route("orders").CountUpstreamFailure("timeout");
  metrics.duplicate_effect_possible.Add();
  metrics.unrecorded_sent.Add(2);
  metrics.CountStoreOperation(StoreOperation::kMarkUnknown, StoreResult::kRewritten);
  metrics.CountStoreOperation(StoreOperation::kBegin, StoreResult::kFailed);
  CAPTURE(metrics.Render());
  CHECK(Shows(metrics, R"(idemproxy_rate_limited_total{route="orders"} 1)"));
  CHECK(Shows(metrics, R"(idemproxy_upstream_failures_total{problem="timeout",route="orders"} 2)"));
  CHECK(Shows(metrics, "idemproxy_duplicate_effect_possible_total 1"));
  CHECK(Shows(metrics, "idemproxy_unrecorded_sent_total 2"));
  const std::string store = "idemproxy_store_operations_total";
  CHECK(Shows(metrics, store + R"({operation="mark_unknown",result="rewritten"} 1)"));
  CHECK(Shows(metrics, store + R"({operation="begin",result="failed"} 1)"));
}

TEST_CASE("what is under way goes up and down") {
  Metrics metrics;
  metrics.claims_executing.Add(2);
  metrics.claims_executing.Add(-1);
  metrics.waiters.Add(3);
  metrics.unrecorded.Add(1);
  metrics.unrecorded_bytes.Set(4096);
  metrics.client_connections.Add(5);
  metrics.upstream_connections.Add(7);
  CHECK(metrics.claims_executing.value() == 1);
  CHECK(Shows(metrics, "idemproxy_claims_executing 1"));
  CHECK(Shows(metrics, "idemproxy_waiters 3"));
  CHECK(Shows(metrics, "idemproxy_unrecorded 1"));
  CHECK(Shows(metrics, "idemproxy_unrecorded_bytes 4096"));
  CHECK(Shows(metrics, R"(idemproxy_connections{side="client"} 5)"));
  CHECK(Shows(metrics, R"(idemproxy_connections{side="upstream"} 7)"));
}

TEST_CASE("a route's name is escaped, and its counts outlive a reload") {
  Metrics metrics;
  RouteMetrics& first = metrics.Route("a\"b\\");
  CHECK(&metrics.Route("a\"b\\") == &first);
  first.CountRateLimited();
  CHECK(Shows(metrics, R"(idemproxy_rate_limited_total{route="a\"b\\"} 1)"));
}

TEST_CASE("several workers count the same series") {
  Metrics metrics;
  constexpr int kRequests = 200;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (int n = 0; n < kRequests; ++n) {
        metrics.Route("orders").CountRequest(Finished(RequestDecision::kExecuted, 201));
        metrics.CountStoreOperation(StoreOperation::kComplete, StoreResult::kDone);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  CHECK(Shows(metrics,
              R"(idemproxy_requests_total{class="2xx",decision="executed",route="orders"} 800)"));
  CHECK(Shows(metrics,
              R"(idemproxy_store_operations_total{operation="complete",result="done"} 800)"));
}

}  // namespace idem::telemetry

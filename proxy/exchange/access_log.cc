#include "proxy/exchange/access_log.h"

#include "proxy/idempotency/key.h"

namespace idem::exchange {

namespace {

void LogUnusedKey(const ports::RequestReport& report) {
  log::Write(
      log::Level::kWarn, "key_unused",
      {{"route", report.route},
       {"method", report.method},
       {"request_id", report.request_id},
       {"reason",
        "a caller sends a key here, and nothing looks at it: a retry is executed again. Give "
        "the route `idempotency`, or add the method to its `methods`. Told once for each "
        "route; idemproxy_unused_keys_total counts"}});
}

}  // namespace

void AccessLog::OnFinished(const ports::RequestReport& report) {
  const std::string key_hash =
      report.record_key.empty() ? std::string() : idempotency::KeyHash(report.record_key);
  const telemetry::AccessLine line{
      .request_id = report.request_id,
      .route = report.route,
      .client = report.client,
      .method = report.method,
      .path = report.path,
      .status = report.status,
      .verdict = report.verdict,
      .problem = report.problem,
      .key_hash = key_hash,
      .address = report.address,
      .upstream_address = report.upstream_address,
      .protocol = report.protocol == http::Version::kHttp10 ? "HTTP/1.0" : "HTTP/1.1",
      .bytes_in = report.bytes_in,
      .bytes_out = report.bytes_out,
      .total = report.total,
      .auth = report.auth,
      .limit = report.limit,
      .store = report.store,
      .upstream = report.upstream,
      .upstream_status = report.upstream_status,
      .mismatch_in = report.mismatch_in,
      .would = report.would};
  auto& counted = RouteOf(report.route);
  counted.CountRequest(line);
  if (report.problem == "rate-limited") counted.CountRateLimited();
  if (report.problem.starts_with("upstream-")) {
    counted.CountUpstreamFailure(report.problem.substr(std::string_view("upstream-").size()));
  }
  if (report.unused_key && counted.CountUnusedKey()) LogUnusedKey(report);
  if (!report.would.empty()) counted.CountObserved(report.would);
  if (report.unrecorded) metrics_.unrecorded_sent.Add();
  if (!log::enabled(log::Level::kInfo)) return;
  line_.clear();
  telemetry::AppendAccessLine(line, format_, line_);
  log::WriteRendered(log::Level::kInfo, line_);
}

telemetry::RouteMetrics& AccessLog::RouteOf(std::string_view name) {
  const auto found = routes_.find(name);
  if (found != routes_.end()) return *found->second;
  return *routes_.emplace(name, &metrics_.Route(name)).first->second;
}

}  // namespace idem::exchange

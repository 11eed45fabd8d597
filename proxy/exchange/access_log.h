// Writes the access line of each exchange and counts it. Each worker has one.
#pragma once

#include <map>
#include <string>

#include "proxy/base/log.h"
#include "proxy/ports/request_report.h"
#include "proxy/telemetry/metrics.h"

namespace idem::exchange {

class AccessLog final : public ports::RequestReportSink {
 public:
  explicit AccessLog(telemetry::Metrics& metrics) : metrics_(metrics) {}
  void OnFinished(const ports::RequestReport& report) override;
  void SetFormat(log::Format format) { format_ = format; }

 private:
  telemetry::RouteMetrics& RouteOf(std::string_view name);

  telemetry::Metrics& metrics_;
  log::Format format_ = log::Format::kJson;
  std::map<std::string, telemetry::RouteMetrics*, std::less<>>
      routes_;  // a cache, which avoids the lock of the metrics' registry
  std::string line_;
};

}  // namespace idem::exchange

// Collects the report of one request while the request runs.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/loop.h"
#include "proxy/ports/request_report.h"

namespace idem::exchange {

/// `->` gives access to the fields of the report. Its views must stay valid until Send() returns.
class ReportBuilder {
 public:
  /// The request's total time counts from here.
  explicit ReportBuilder(const Loop& loop) : loop_(loop), began_at_(loop.Now()) {}

  ports::RequestReport* operator->() { return &report_; }
  const ports::RequestReport* operator->() const { return &report_; }
  ports::RequestReport& operator*() { return report_; }

  /// A step begins, whose time AddElapsed() will count.
  void StartStep() { step_began_at_ = loop_.Now(); }
  /// Adds the time since StartStep() to a duration of the report.
  void AddElapsed(Duration ports::RequestReport::*spent);

  /// The request has ended: stops the total time, and copies the upstream's address, because the
  /// upstream call is destroyed before Send().
  void End(std::string_view upstream_address);
  void Send(ports::RequestReportSink& sink);

 private:
  const Loop& loop_;
  ports::RequestReport report_;
  std::string upstream_address_;
  const BootTime began_at_;
  BootTime step_began_at_ = began_at_;
};

}  // namespace idem::exchange

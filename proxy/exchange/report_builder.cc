#include "proxy/exchange/report_builder.h"

namespace idem::exchange {

void ReportBuilder::AddElapsed(Duration ports::RequestReport::*spent) {
  const BootTime now = loop_.Now();
  report_.*spent += now - step_began_at_;
  step_began_at_ = now;
}

void ReportBuilder::End(std::string_view upstream_address) {
  upstream_address_ = upstream_address;
  report_.total = loop_.Now() - began_at_;
}

void ReportBuilder::Send(ports::RequestReportSink& sink) {
  report_.upstream_address = upstream_address_;
  sink.OnFinished(report_);
}

}  // namespace idem::exchange

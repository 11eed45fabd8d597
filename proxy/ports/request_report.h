// What is told about an exchange when it ends: the one line of the access log and the counters are
// made of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/http/message.h"
#include "proxy/telemetry/access_line.h"

namespace idem::ports {

using telemetry::RequestDecision;

/// Views are good during the call that gets it. Durations are zero where a step was not taken.
struct RequestReport {
  std::string_view request_id;
  std::string_view route;  // its name; "": refused before it had one
  std::string_view client;
  std::string_view method;
  std::string_view path;     // without the query
  std::uint16_t status = 0;  // 0: the client went away before there was one
  RequestDecision verdict = RequestDecision::kFailed;
  std::string_view problem;
  std::string_view would;  // `mode: observe`: what enforcing would have done; "" otherwise
  std::string_view
      mismatch_in;              // the parts in which it differs from the request that holds its key
  std::string_view record_key;  // hashed before it is shown
  std::string_view address;     // the client's, as `trusted_proxies` tell it
  std::string_view upstream_address;
  http::Version protocol = http::Version::kHttp11;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  Duration total{};
  Duration auth{};
  Duration limit{};
  Duration store{};
  Duration upstream{};
  std::uint16_t upstream_status = 0;
  bool unrecorded = false;
};

class RequestReportSink {
 public:
  virtual ~RequestReportSink() = default;
  virtual void OnFinished(const RequestReport& report) = 0;
};

}  // namespace idem::ports

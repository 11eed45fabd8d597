// The report of an exchange that has ended. The access log line and the counters are made from it.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/http/message.h"
#include "proxy/telemetry/access_line.h"

namespace idem::ports {

using telemetry::RequestDecision;

/// Views are valid during the call that receives the report. Durations are zero for steps that were
/// not taken.
struct RequestReport {
  std::string_view request_id;
  std::string_view route;  // the route's name; "" if the request was refused before it had one
  std::string_view client;
  std::string_view method;
  std::string_view path;     // without the query
  std::uint16_t status = 0;  // 0 if the client left before there was a response
  RequestDecision verdict = RequestDecision::kFailed;
  std::string_view problem;
  // Decision that enforcing would have made, on a route in `mode: observe`; "" otherwise.
  std::string_view would;
  std::string_view mismatch_in;  // the parts that differ from the request that holds the key
  std::string_view record_key;   // must be hashed before it is shown
  std::string_view address;      // the client's, found through `trusted_proxies`
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
  bool unused_key = false;  // it sent a key, and no policy looked at it
};

class RequestReportSink {
 public:
  virtual ~RequestReportSink() = default;
  virtual void OnFinished(const RequestReport& report) = 0;
};

}  // namespace idem::ports

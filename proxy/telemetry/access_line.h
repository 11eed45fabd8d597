// The log line of one request (README.md, "Operating").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"

namespace idem::telemetry {

/// The proxy's decision about a request: `decision` in the line and in the metrics.
enum class RequestDecision : std::uint8_t {
  kExecuted,
  kReplayed,
  kMismatch,
  kInProgress,
  kUnknown,
  kReconciled,
  kPassed,   // forwarded without a key
  kRefused,  // not forwarded: the caller's fault, or a limit
  kFailed,   // not forwarded or not answered: a fault of the proxy, the store or the backend
};
inline constexpr std::size_t kDecisions = 9;
/// Returns the logged word: "executed", "in_progress".
[[nodiscard]] std::string_view DecisionText(RequestDecision decision);

/// Views must stay valid while the line is written. "" and 0 mean that the value is missing.
struct AccessLine {
  std::string_view request_id;
  std::string_view route;
  std::string_view client;
  std::string_view method;
  std::string_view path;     // without the query
  std::uint16_t status = 0;  // 0 if the client left before there was a response
  RequestDecision verdict = RequestDecision::kFailed;
  std::string_view problem;   // NAME of the problem that the proxy answered with
  std::string_view key_hash;  // idempotency::KeyHash(), never the key
  std::string_view address;   // the client's address
  std::string_view upstream_address;
  std::string_view protocol;  // "HTTP/1.1"
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  Duration total{};  // time of the whole request; the next members are parts of it
  Duration auth{};
  Duration limit{};
  Duration store{};
  Duration upstream{};
  std::uint16_t upstream_status = 0;
  std::string_view mismatch_in;  // for a mismatch: the parts that differ, "body" or "path,query"
  // The decision that enforcing would have made, on a route in `mode: observe`.
  std::string_view would;
};

/// Appends the line for log::WriteRendered(). JSON is `"event":"request"` and every member in a
/// fixed order. A missing member is written as `null`; `mismatch_in` is written only for a
/// mismatch, `would` only for routes in `mode: observe`. Durations are whole microseconds. Text is `request name=value ...` and leaves missing
/// members out. The call allocates nothing once `to` has grown.
void AppendAccessLine(const AccessLine& line, log::Format format, std::string& to);

}  // namespace idem::telemetry

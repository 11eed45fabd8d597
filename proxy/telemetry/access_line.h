// The one line that is logged for each request (README.md, "Operating").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"

namespace idem::telemetry {

/// What was done for a request: `decision` in the line and in the metrics.
enum class RequestDecision : std::uint8_t {
  kExecuted,
  kReplayed,
  kMismatch,
  kInProgress,
  kUnknown,
  kReconciled,
  kPassed,   // forwarded without a key
  kRefused,  // not forwarded: the caller's doing, or a limit
  kFailed,   // not forwarded or not answered: our side's or the backend's doing
};
inline constexpr std::size_t kVerdicts = 9;
/// "executed", "in_progress": as it is logged.
[[nodiscard]] std::string_view VerdictText(RequestDecision verdict);

/// Views are good while the line is written. "" and 0 stand for none.
struct AccessLine {
  std::string_view request_id;
  std::string_view route;
  std::string_view client;
  std::string_view method;
  std::string_view path;     // without the query
  std::uint16_t status = 0;  // 0: the client went away before there was one
  RequestDecision verdict = RequestDecision::kFailed;
  std::string_view problem;   // the NAME of the answer, where the proxy made it
  std::string_view key_hash;  // idempotency::KeyHash(); never the key
  std::string_view address;   // the client's
  std::string_view upstream_address;
  std::string_view protocol;  // "HTTP/1.1"
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  Duration total{};  // and of it:
  Duration auth{};
  Duration limit{};
  Duration store{};
  Duration upstream{};
  std::uint16_t upstream_status = 0;
  std::string_view mismatch_in;  // of a mismatch: the parts that differ, "body" or "path,query"
  std::string_view would;        // on a route that observes: what enforcing would have done
};

/// Appends the line for log::WriteRendered(). JSON: `"event":"request"` and every member, always
/// the same in the same order, `null` where there is none, except `mismatch_in`, which only
/// mismatches have, and `would`, which only routes that observe have; durations are whole
/// microseconds. Text:
/// `request name=value ...` without the members that there are not. Allocates nothing once `to`
/// has grown.
void AppendAccessLine(const AccessLine& line, log::Format format, std::string& to);

}  // namespace idem::telemetry

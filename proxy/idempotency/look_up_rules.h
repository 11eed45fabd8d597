// The rules of looking up an unknown claim at the backend (semantics.md, "Reconcile"): the time,
// the request, and the meaning of the response. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"

namespace idem::idempotency {

struct Policy;
struct Record;

/// `reconcile` of the configuration. It is safe only for a backend that ends a request, and shows
/// its effect, within `after`.
struct ReconcileRule {
  std::string get;  // a target with {key} and {client} in it
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint16_t found = 200;  // the status of the recorded response of an effect that was found
  std::string found_when;     // a JSON pointer to a value that the body must have; "": any 2xx
  std::chrono::milliseconds after = std::chrono::minutes(2);
  std::chrono::milliseconds interval = std::chrono::seconds(10);
};

/// Returns how long a route with `policy`, which reconciles, waits before it looks up `record`,
/// which is unknown at `now`; zero: it may be looked up now (EarliestLookUp()).
[[nodiscard]] std::chrono::milliseconds UntilLookUp(const Policy& policy, const Record& record,
                                                    StoreTime now);

/// Returns false if a key or a client of dots would change the path (RFC 3986, section 5.2.4): such
/// a claim cannot be looked up.
[[nodiscard]] bool HasLookUpTarget(const ReconcileRule& rule, std::string_view key,
                                   std::string_view client);

/// Returns `get` with the values of {key} and {client}, in which all characters except the
/// unreserved ones of RFC 3986 are percent-encoded.
[[nodiscard]] std::string LookUpTarget(const ReconcileRule& rule, std::string_view key,
                                       std::string_view client);

/// The backend's complete response.
struct LookUpResponse {
  std::uint16_t status = 0;
  bool whole = true;        // false: its body is larger than max_recorded_body
  std::string_view body{};  // empty if the response is not whole
};

enum class LookUpMeaning : std::uint8_t {
  kFound,    // the effect was made, and the response becomes its record
  kAbsent,   // the effect was not made and will not be: execute under a new token
  kUnclear,  // the outcome stays unknown
};

[[nodiscard]] LookUpMeaning DecideLookUp(const ReconcileRule& rule, const LookUpResponse& response);
/// Returns "found", "absent" or "unclear", the label of the metrics.
[[nodiscard]] std::string_view LookUpMeaningText(LookUpMeaning meaning);

}  // namespace idem::idempotency

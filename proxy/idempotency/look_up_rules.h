// The rules by which an unknown claim is looked up at the backend (semantics.md, "Reconcile"): when
// that may be done, what is asked, and what the answer means. Pure.
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

/// `reconcile` of the configuration. It is safe only for a backend that is done with a request, and
/// shows it, within `after`.
struct ReconcileRule {
  std::string get;  // a target in which {key} and {client} stand
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint16_t found = 200;  // the status of what is recorded for an effect that was found
  std::string found_when;     // a JSON pointer to what the body must hold; "": any 2xx will do
  std::chrono::milliseconds after = std::chrono::minutes(2);
  std::chrono::milliseconds interval = std::chrono::seconds(10);
};

/// How long `record`, which is unknown at `now`, may not be looked up yet by a route with `policy`
/// (which reconciles); zero: now. Counted from the lease's end, and no earlier than from where the
/// lease of a claim made today would end: a claim that was made under a shorter one may still be
/// at work.
[[nodiscard]] std::chrono::milliseconds UntilLookUp(const Policy& policy, const Record& record,
                                                    StoreTime now);

/// False where a key or a client of dots would make the path another one (RFC 3986, section 5.2.4):
/// it cannot be looked up.
[[nodiscard]] bool HasLookUpTarget(const ReconcileRule& rule, std::string_view key,
                                   std::string_view client);

/// `get` with what stands for {key} and {client}: all but the unreserved characters of RFC 3986
/// are percent-encoded.
[[nodiscard]] std::string LookUpTarget(const ReconcileRule& rule, std::string_view key,
                                       std::string_view client);

/// What the backend answered, once it has all come.
struct LookUpResponse {
  std::uint16_t status = 0;
  bool whole = true;        // false: its body is larger than what may be recorded
  std::string_view body{};  // of a whole one
};

enum class LookUpMeaning : std::uint8_t {
  kFound,    // the effect was made: this is its record
  kAbsent,   // it was not made, and will not be: execute under a new token
  kUnclear,  // it stays unknown
};

[[nodiscard]] LookUpMeaning DecideLookUp(const ReconcileRule& rule, const LookUpResponse& response);
/// "found", "absent", "unclear": as it is counted.
[[nodiscard]] std::string_view LookUpMeaningText(LookUpMeaning meaning);

}  // namespace idem::idempotency

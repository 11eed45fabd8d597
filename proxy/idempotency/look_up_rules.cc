#include "proxy/idempotency/look_up_rules.h"

#include <algorithm>

#include "proxy/base/invariant.h"
#include "proxy/http/percent_encoding.h"
#include "proxy/idempotency/fingerprint/canonical_json.h"
#include "proxy/idempotency/lease.h"
#include "proxy/idempotency/policy.h"
#include "proxy/idempotency/record.h"

namespace idem::idempotency {

namespace {

// The visible characters that are not unreserved (RFC 3986, section 2.3), without `%`.
constexpr std::string_view kNotUnreserved = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}";

// Many list APIs answer 200 with an empty list if they find nothing.
bool Holds(std::string_view body, const std::string& pointer) {
  const auto value = FindInJson(body, pointer);
  return value && *value != "null" && *value != "\"\"" && *value != "[]" && *value != "{}";
}

}  // namespace

std::chrono::milliseconds UntilLookUp(const Policy& policy, const Record& record, StoreTime now) {
  INVARIANT(record.state_at(now) == RecordState::kUnknown);
  return std::max(EarliestLookUp(record, policy) - now, std::chrono::milliseconds(0));
}

std::string LookUpTarget(const ReconcileRule& rule, std::string_view key, std::string_view client) {
  constexpr std::string_view kKey = "{key}";
  constexpr std::string_view kClient = "{client}";
  std::string target;
  std::string_view rest = rule.get;
  while (!rest.empty()) {
    if (rest.starts_with(kKey)) {
      http::AppendPercentEncoded(key, kNotUnreserved, target);
      rest.remove_prefix(kKey.size());
    } else if (rest.starts_with(kClient)) {
      http::AppendPercentEncoded(client, kNotUnreserved, target);
      rest.remove_prefix(kClient.size());
    } else {
      target.push_back(rest.front());
      rest.remove_prefix(1);
    }
  }
  return target;
}

bool HasLookUpTarget(const ReconcileRule& rule, std::string_view key, std::string_view client) {
  const std::string target = LookUpTarget(rule, key, client);
  std::string_view path = std::string_view(target).substr(0, target.find('?'));
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return false;
    path.remove_prefix(segment.size());
  }
  return true;
}

// status        found_when           meaning
// 2xx, whole    not set              found
// 2xx, whole    set, and it is there found
// 2xx, whole    set, and it is not   unclear
// 2xx, too large                     unclear
// 404, 410                           absent
// any other                          unclear
LookUpMeaning DecideLookUp(const ReconcileRule& rule, const LookUpResponse& response) {
  if (response.status == 404 || response.status == 410) return LookUpMeaning::kAbsent;
  if (response.status < 200 || response.status > 299 || !response.whole) {
    return LookUpMeaning::kUnclear;
  }
  const bool found = rule.found_when.empty() || Holds(response.body, rule.found_when);
  return found ? LookUpMeaning::kFound : LookUpMeaning::kUnclear;
}

std::string_view LookUpMeaningText(LookUpMeaning meaning) {
  switch (meaning) {
    case LookUpMeaning::kFound:
      return "found";
    case LookUpMeaning::kAbsent:
      return "absent";
    case LookUpMeaning::kUnclear:
      break;
  }
  return "unclear";
}

}  // namespace idem::idempotency

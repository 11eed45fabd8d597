// A request that a key protects: how its claim is made, and how it is compared with an existing
// record of the key. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/random.h"
#include "proxy/http/message.h"
#include "proxy/idempotency/decision.h"
#include "proxy/idempotency/policy.h"
#include "proxy/idempotency/record.h"

namespace idem::exchange {

/// Views into an exchange, which outlives them.
struct ProtectedRequest {
  const idempotency::Policy* policy = nullptr;
  std::string_view route;
  std::string_view client;  // "" if the route has no authentication
  std::string_view key;     // the unquoted key
  std::string_view request_id;
  const http::RequestHead* head = nullptr;
  std::string_view body;  // the whole body
};

/// Returns the name of the key's record: idempotency::RecordKey() of its scope.
[[nodiscard]] std::string RecordKeyFor(const ProtectedRequest& request);

/// Proposes a claim with a new token.
[[nodiscard]] idempotency::Claim ProposeClaim(const ProtectedRequest& request, Random& random);

/// Returns the identity that Decide() compares with `record`. The fingerprint is computed by the
/// record's own recipe, which may differ from the recipe of `mine`.
[[nodiscard]] idempotency::RequestIdentity RequestIdentityFor(const ProtectedRequest& request,
                                                              const idempotency::Claim& mine,
                                                              const idempotency::Record& record);

/// The names of the parts in which `request` differs from the request of the claim, with a comma
/// between them: "route", "client", or those of idempotency::DifferingParts(). "" where the claim
/// does not tell.
[[nodiscard]] std::string MismatchIn(const ProtectedRequest& request,
                                     const idempotency::Claim& theirs);

}  // namespace idem::exchange

// A request that a key protects: what its claim is made of, and what of it is compared with a
// record that holds the key already. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/random.h"
#include "proxy/http/message.h"
#include "proxy/idempotency/decision.h"
#include "proxy/idempotency/policy.h"
#include "proxy/idempotency/record.h"

namespace idem::exchange {

/// Views of an exchange, which outlives them.
struct ProtectedRequest {
  const idempotency::Policy* policy = nullptr;
  std::string_view route;
  std::string_view client;  // "" on a route without authentication
  std::string_view key;     // in its bare form
  std::string_view request_id;
  const http::RequestHead* head = nullptr;
  std::string_view body;  // all of it
};

/// Where the record of its key lies: idempotency::RecordKey() of its scope.
[[nodiscard]] std::string RecordKeyFor(const ProtectedRequest& request);

/// With a new token.
[[nodiscard]] idempotency::Claim ProposeClaim(const ProtectedRequest& request, Random& random);

/// What Decide() compares with `record`: the fingerprint by the record's own recipe, which may be
/// another than the one that `mine` was made by.
[[nodiscard]] idempotency::RequestIdentity RequestIdentityFor(const ProtectedRequest& request,
                                                              const idempotency::Claim& mine,
                                                              const idempotency::Record& record);

/// The names of the parts in which `request` differs from the request of the claim, with a comma
/// between them: "route", "client", or those of idempotency::DifferingParts(). "" where the claim
/// does not tell.
[[nodiscard]] std::string MismatchIn(const ProtectedRequest& request,
                                     const idempotency::Claim& theirs);

}  // namespace idem::exchange

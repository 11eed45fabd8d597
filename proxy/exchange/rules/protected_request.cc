#include "proxy/exchange/rules/protected_request.h"

#include <vector>

#include "proxy/exchange/rules/caller_identity.h"
#include "proxy/idempotency/fingerprint.h"
#include "proxy/idempotency/key.h"

namespace idem::exchange {

namespace {

idempotency::Fingerprint FingerprintOf(const ProtectedRequest& request,
                                       const idempotency::Recipe& recipe) {
  return idempotency::ComputeFingerprint(recipe, {.route = request.route,
                                                  .client = request.client,
                                                  .method = request.head->method,
                                                  .target = request.head->target,
                                                  .fields = &request.head->fields,
                                                  .body = request.body});
}

}  // namespace

std::string RecordKeyFor(const ProtectedRequest& request) {
  using Kind = idempotency::ScopeRule::Kind;
  const auto& rules = request.policy->scope;
  std::vector<std::string> values;
  values.reserve(rules.size());  // `parts` holds views of them
  std::vector<idempotency::ScopePart> scope;
  for (const idempotency::ScopeRule& rule : rules) {
    switch (rule.kind) {
      case Kind::kClient:
        scope.push_back({"client", request.client});
        break;
      case Kind::kRoute:
        scope.push_back({"route", request.route});
        break;
      case Kind::kHeader:
        scope.push_back(
            {rule.header, values.emplace_back(WholeValue(request.head->fields, rule.header))});
        break;
    }
  }
  return idempotency::RecordKey(scope, request.key);
}

idempotency::Claim ProposeClaim(const ProtectedRequest& request, Random& random) {
  const idempotency::Policy& policy = *request.policy;
  return {.token = idempotency::Token::Make(random),
          .fingerprint = FingerprintOf(request, policy.recipe),
          .recipe = policy.recipe.ToId(),
          .upstream_idempotent = policy.upstream_idempotent,
          .lease = policy.lease,
          .unknown_ttl = policy.unknown_ttl,
          .route = std::string(request.route),
          .client = std::string(request.client)};
}

idempotency::RequestIdentity RequestIdentityFor(const ProtectedRequest& request,
                                                const idempotency::Claim& mine,
                                                const idempotency::Record& record) {
  idempotency::RequestIdentity question{.token = mine.token, .fingerprint = mine.fingerprint};
  if (record.claim.recipe == mine.recipe) return question;
  if (const auto recipe = idempotency::Recipe::FromId(record.claim.recipe)) {
    question.fingerprint = FingerprintOf(request, *recipe);
  } else {
    question.recipe = idempotency::RecipeMatch::kImpossible;
  }
  return question;
}

}  // namespace idem::exchange

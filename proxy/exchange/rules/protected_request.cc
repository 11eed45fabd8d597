#include "proxy/exchange/rules/protected_request.h"

#include <utility>
#include <vector>

#include "proxy/exchange/rules/caller_identity.h"
#include "proxy/idempotency/fingerprint/fingerprint.h"
#include "proxy/idempotency/fingerprint/part_digests.h"
#include "proxy/idempotency/key.h"

namespace idem::exchange {

namespace {

idempotency::Fingerprint FingerprintOf(const ProtectedRequest& request,
                                       const idempotency::Recipe& recipe,
                                       std::string* part_digests = nullptr) {
  return idempotency::ComputeFingerprint(recipe,
                                         {.route = request.route,
                                          .client = request.client,
                                          .method = request.head->method,
                                          .target = request.head->target,
                                          .fields = &request.head->fields,
                                          .body = request.body},
                                         part_digests);
}

void AppendName(std::string_view name, std::string& list) {
  if (name.empty()) return;
  if (!list.empty()) list.push_back(',');
  list.append(name);
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
  std::string part_digests;
  const idempotency::Fingerprint fingerprint = FingerprintOf(request, policy.recipe, &part_digests);
  return {.token = idempotency::Token::Make(random),
          .fingerprint = fingerprint,
          .recipe = policy.recipe.ToId(),
          .upstream_idempotent = policy.upstream_idempotent,
          .lease = policy.lease,
          .unknown_ttl = policy.unknown_ttl,
          .route = std::string(request.route),
          .client = std::string(request.client),
          .part_digests = std::move(part_digests)};
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

std::string MismatchIn(const ProtectedRequest& request, const idempotency::Claim& theirs) {
  std::string names;
  if (theirs.route != request.route) AppendName("route", names);
  if (theirs.client != request.client) AppendName("client", names);
  const auto recipe = idempotency::Recipe::FromId(theirs.recipe);
  if (!recipe || theirs.part_digests.empty()) return names;
  std::string part_digests;
  static_cast<void>(FingerprintOf(request, *recipe, &part_digests));
  AppendName(idempotency::DifferingParts(*recipe, part_digests, theirs.part_digests), names);
  return names;
}

}  // namespace idem::exchange

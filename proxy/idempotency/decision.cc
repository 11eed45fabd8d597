#include "proxy/idempotency/decision.h"

#include "proxy/base/invariant.h"

namespace idem::idempotency {

namespace {

Decision DecideUnknown(const Policy& policy, const Record& record) {
  if (record.claim.upstream_idempotent && policy.upstream_idempotent) return Decision::kTakeOver;
  return policy.reconcile ? Decision::kReconcile : Decision::kUnknown;
}

}  // namespace

// record                       fingerprint  lease  decision
// executing with my own token  -            any    execute
// any                          impossible   -      unknown (the two may be the same)
// any                          differs      any    mismatch
// completed                    same         -      replay, or not kept
// executing                    same         alive  in progress
// executing                    same         ended  as unknown
// unknown                      same         -      take over if both sides are idempotent,
//                                                  otherwise reconcile if it is configured,
//                                                  otherwise unknown
Decision Decide(const Policy& policy, const RequestIdentity& identity, const Record& record,
                StoreTime now) {
  const bool mine = record.claim.token == identity.token;
  if (record.state == RecordState::kExecuting && mine) return Decision::kExecute;
  if (identity.recipe == RecipeMatch::kImpossible) return Decision::kUnknown;
  if (record.claim.fingerprint != identity.fingerprint) return Decision::kMismatch;

  switch (record.state_at(now)) {
    case RecordState::kCompleted:
      INVARIANT(record.response != nullptr);
      return record.response->body_kept ? Decision::kReplay : Decision::kNotKept;
    case RecordState::kExecuting:
      return Decision::kInProgress;
    case RecordState::kUnknown:
      break;
  }
  return DecideUnknown(policy, record);
}

}  // namespace idem::idempotency

#include "proxy/idempotency/decision.h"

#include "proxy/base/invariant.h"

namespace idem::idempotency {

namespace {

Decision DecideUnknown(const Policy& policy, const Record& record) {
  if (record.claim.upstream_idempotent && policy.upstream_idempotent) return Decision::kTakeOver;
  return policy.reconcile ? Decision::kReconcile : Decision::kUnknown;
}

}  // namespace

// record                          fingerprint   lease     answer
// executing with my own token     -             any       execute
// any                             impossible    -         unknown (they may be the same)
// any                             differs       any       mismatch
// completed                       same          -         replay, or not kept
// executing                       same          alive     in progress
// executing                       same          run out   as unknown
// unknown                         same          -         take over where both sides are
// idempotent,
//                                                         else reconcile where it is set, else
//                                                         unknown
Decision Decide(const Policy& policy, const RequestIdentity& question, const Record& record,
                StoreTime now) {
  const bool mine = record.claim.token == question.token;
  if (record.state == RecordState::kExecuting && mine) return Decision::kExecute;
  if (question.recipe == RecipeMatch::kImpossible) return Decision::kUnknown;
  if (record.claim.fingerprint != question.fingerprint) return Decision::kMismatch;

  switch (record.state_at(now)) {
    case RecordState::kCompleted:
      INVARIANT(record.response.has_value());
      return record.response->body_kept ? Decision::kReplay : Decision::kNotKept;
    case RecordState::kExecuting:
      return Decision::kInProgress;
    case RecordState::kUnknown:
      break;
  }
  return DecideUnknown(policy, record);
}

}  // namespace idem::idempotency

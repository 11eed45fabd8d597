#include "proxy/ports/transition.h"

#include <utility>

namespace idem::ports {

using idempotency::ClaimEnding;

Transition::Kind Transition::KindOf(ClaimEnding ending) {
  switch (ending) {
    case ClaimEnding::kRecord:
      return Kind::kComplete;
    case ClaimEnding::kRelease:
      return Kind::kRelease;
    case ClaimEnding::kUnknown:
      break;
  }
  return Kind::kMarkUnknown;
}

Ticket AskToSettle(RecordStore& store, const Transition& what, RecordStore::OnSettled on_answer) {
  const std::string& key = what.record_key;
  switch (what.kind) {
    case Transition::Kind::kComplete:
      return store.Complete(key, what.claim, *what.response, what.ttl, std::move(on_answer));
    case Transition::Kind::kRelease:
      return store.Release(key, what.claim.token, std::move(on_answer));
    case Transition::Kind::kMarkUnknown:
      return store.MarkUnknown(key, what.claim, std::move(on_answer));
    case Transition::Kind::kWithdraw:
      break;
  }
  return store.Withdraw(key, what.claim.token, what.claim.lease, std::move(on_answer));
}

}  // namespace idem::ports

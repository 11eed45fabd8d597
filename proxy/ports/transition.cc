#include "proxy/ports/transition.h"

#include <utility>

namespace idem::exchange {

using idempotency::Ending;

Settlement::Kind Settlement::KindOf(Ending ending) {
  switch (ending) {
    case Ending::kRecord:
      return Kind::kComplete;
    case Ending::kRelease:
      return Kind::kRelease;
    case Ending::kUnknown:
      break;
  }
  return Kind::kMarkUnknown;
}

Ticket AskToSettle(RecordStore& store, const Settlement& what, RecordStore::OnSettled on_answer) {
  const std::string& key = what.record_key;
  switch (what.kind) {
    case Settlement::Kind::kComplete:
      return store.Complete(key, what.claim, *what.response, what.ttl, std::move(on_answer));
    case Settlement::Kind::kRelease:
      return store.Release(key, what.claim.token, std::move(on_answer));
    case Settlement::Kind::kMarkUnknown:
      return store.MarkUnknown(key, what.claim, std::move(on_answer));
    case Settlement::Kind::kWithdraw:
      break;
  }
  return store.Withdraw(key, what.claim.token, what.claim.lease, std::move(on_answer));
}

}  // namespace idem::exchange

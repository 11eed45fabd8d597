#include "proxy/ports/transition.h"

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

}  // namespace idem::ports

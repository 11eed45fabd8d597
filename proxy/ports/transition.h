// How a claim ends, as one value: what the store is asked then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "proxy/idempotency/claim_ending.h"
#include "proxy/ports/record_store.h"

namespace idem::ports {

struct Transition {
  enum class Kind : std::uint8_t { kComplete, kRelease, kMarkUnknown, kWithdraw };
  /// What settles a claim that ended so; never kWithdraw, which settles one that never began.
  [[nodiscard]] static Kind KindOf(idempotency::ClaimEnding ending);

  Kind kind = Kind::kRelease;
  std::string record_key{};
  idempotency::Claim claim{};
  /// kComplete: shared with the exchange that answers with it; else null.
  std::shared_ptr<const idempotency::StoredResponse> response{};
  idempotency::Milliseconds ttl{};  // kComplete
  bool offered_again = false;       // another token held the key, and that was told
};

/// Asks once.
[[nodiscard]] Ticket AskToSettle(RecordStore& store, const Transition& what,
                                 RecordStore::OnSettled on_answer);

}  // namespace idem::ports

// The atomic steps of ports::RecordStore as pure functions. A step takes the record under a key and
// a request, and returns the answer and the write. The memory and the embedded store run the steps
// under a lock or on one thread; Redis and PostgreSQL have the same steps as scripts, and
// tests/contract/ holds all four equal.
//
//                  absent      executing           unknown             completed
//   begin          claim       mine: claimed       replaces it: claim  held
//                              lease ended and
//                              replaces it: claim
//                              otherwise held      otherwise held
//   complete       rewritten   mine: done          mine: done          mine, same response: done
//   mark unknown   rewritten   mine: done          mine: done          held
//   release        done        mine: erased        mine: erased        held
//   withdraw       done        mine: erased        mine: erased        done
//   release        done        mine, lease ended:  mine: erased        held
//     unknown                  erased, otherwise
//                              held
//   resolve        gone        mine, lease ended:  mine: done          mine, same response: done
//     unknown                  done, otherwise
//                              held
//   reserve        changed     mine, lease ended:  mine: granted or    changed
//     look-up                  granted or taken    taken
//
// Every other cell is `held` (withdraw: `done`, reserve look-up: `changed`) and changes nothing. An
// expired record counts as absent: callers drop it with WithoutExpired() first.
#pragma once

#include <cstdint>
#include <optional>

#include "proxy/idempotency/record.h"
#include "proxy/ports/record_store.h"
#include "proxy/ports/transition.h"

namespace idem::store {

enum class RecordWrite : std::uint8_t { kNone, kWrite, kErase };

template <class Answer>
struct Step {
  Answer answer;
  RecordWrite change = RecordWrite::kNone;
  std::optional<idempotency::Record> record;  // kWrite
};
using BeginStep = Step<ports::BeginResult>;
using TransitionStep = Step<ports::TransitionResult>;
using LookUpStep = Step<ports::LookUpReservation>;
using ReadStep = Step<ports::ReadResult>;

using StoredRecord = std::optional<idempotency::Record>;

/// Returns `record` if it has not expired at `now`, otherwise null.
[[nodiscard]] StoredRecord WithoutExpired(StoredRecord record, StoreTime now);

/// Requires that the limit was counted, and that the claim's token was not withdrawn.
[[nodiscard]] BeginStep Begin(StoredRecord present, const idempotency::Claim& claim,
                              const std::optional<idempotency::Token>& replaces, StoreTime now);

/// The store itself bars the token of a kWithdraw.
[[nodiscard]] TransitionStep Apply(const ports::Transition& transition, StoredRecord present,
                                   StoreTime now);

/// `taken_until` is the end of the token's reservation, null if there is none. The step writes no
/// record; after kGranted the caller keeps the reservation until now + pause.
[[nodiscard]] LookUpStep ReserveLookUp(StoredRecord present, const idempotency::Token& token,
                                       std::optional<StoreTime> taken_until, StoreTime now);

[[nodiscard]] ReadStep Read(StoredRecord present, StoreTime now);

}  // namespace idem::store

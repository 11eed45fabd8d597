// The atomic steps of ports::RecordStore as pure functions: what lies under a key and a question
// in, an answer and what to write out. The memory and the embedded store run them under a lock or
// on one thread; Redis has the same steps as scripts, and tests/contract/ holds them all equal.
//
//                  absent      executing           unknown             completed
//   begin          claim       mine: claimed       replaces it: claim  held
//                              lease ended and
//                              replaces it: claim
//                              else held           else held
//   complete       rewritten   mine: done          mine: done          mine, same response: done
//   mark unknown   rewritten   mine: done          mine: done          held
//   release        done        mine: erased        mine: erased        held
//   withdraw       done        mine: erased        mine: erased        done
//   release        done        mine, lease ended:  mine: erased        held
//     unknown                  erased, else held
//   resolve        gone        mine, lease ended:  mine: done          mine, same response: done
//     unknown                  done, else held
//   claim look-up  changed     mine, lease ended:  mine: granted or    changed
//                              granted or taken    taken
//
// Every other cell is `held` (withdraw: `done`, claim look-up: `changed`) and changes nothing. What
// had not expired is presented; an expired record is absent (WithoutExpired()).
#pragma once

#include <cstdint>
#include <optional>

#include "proxy/idempotency/record.h"
#include "proxy/ports/record_store.h"

namespace idem::store {

enum class RecordWrite : std::uint8_t { kNone, kWrite, kErase };

/// What a step answers and what it does to the record.
template <class Answer>
struct Step {
  Answer answer;
  RecordWrite change = RecordWrite::kNone;
  std::optional<idempotency::Record> record;  // kWrite
};
using BeginStep = Step<ports::BeginResult>;
using SettleStep = Step<ports::TransitionResult>;
using LookUpStep = Step<ports::LookUpReservation>;

using StoredRecord = std::optional<idempotency::Record>;

/// `record` if it has not expired at `now`.
[[nodiscard]] StoredRecord WithoutExpired(StoredRecord record, StoreTime now);

/// The limit was counted, and the token's mark looked for, before this.
[[nodiscard]] BeginStep Begin(StoredRecord present, const idempotency::Claim& claim,
                              const std::optional<idempotency::Token>& replaces, StoreTime now);
[[nodiscard]] SettleStep Complete(StoredRecord present, const idempotency::Claim& claim,
                                  idempotency::StoredResponse response,
                                  idempotency::Milliseconds ttl, StoreTime now);
[[nodiscard]] SettleStep MarkUnknown(StoredRecord present, const idempotency::Claim& claim,
                                     StoreTime now);
[[nodiscard]] SettleStep Release(StoredRecord present, const idempotency::Token& token,
                                 StoreTime now);
[[nodiscard]] SettleStep Withdraw(StoredRecord present, const idempotency::Token& token,
                                  StoreTime now);
[[nodiscard]] SettleStep ReleaseUnknown(StoredRecord present, const idempotency::Token& token,
                                        StoreTime now);
[[nodiscard]] SettleStep ResolveUnknown(StoredRecord present, const idempotency::Token& token,
                                        idempotency::StoredResponse response,
                                        idempotency::Milliseconds ttl, StoreTime now);
[[nodiscard]] SettleStep Look(StoredRecord present, StoreTime now);

/// `taken_until`: until when the right to look this token up is somebody's; null where nobody has
/// it. It writes no record; where it answers kGranted, the caller keeps the right until now +
/// pause.
[[nodiscard]] LookUpStep ReserveLookUp(StoredRecord present, const idempotency::Token& token,
                                       std::optional<StoreTime> taken_until, StoreTime now);

}  // namespace idem::store

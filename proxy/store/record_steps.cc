#include "proxy/store/record_steps.h"

#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/idempotency/lease.h"

namespace idem::store {

namespace {

using idempotency::Claim;
using idempotency::Record;
using idempotency::RecordState;
using idempotency::StoredResponse;
using idempotency::Token;
using ports::BeginResult;
using ports::LookUpReservation;
using ports::Transition;
using ports::TransitionResult;

bool Carries(const StoredRecord& present, const Token& token) {
  return present && present->claim.token == token;
}

/// The record has this token and is no longer executed.
bool IsUnknown(const StoredRecord& present, const Token& token, StoreTime now) {
  return Carries(present, token) && present->state_at(now) == RecordState::kUnknown;
}

bool IsCompleted(const StoredRecord& present) {
  return present && present->state == RecordState::kCompleted;
}

bool IsSameResponse(const StoredResponse& a, const StoredResponse& b) {
  if (a.status != b.status || a.body_kept != b.body_kept || a.body != b.body ||
      a.fields.size() != b.fields.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].name != b.fields[i].name || a.fields[i].value != b.fields[i].value)
      return false;
  }
  return true;
}

/// Asserts the properties of every record that is written.
const Record& Checked(const Record& record, StoreTime now) {
  INVARIANT(record.claim.token != Token{});
  INVARIANT(record.begun_at <= now && now < record.expires_at);
  INVARIANT((record.state == RecordState::kCompleted) == (record.response != nullptr));
  INVARIANT(record.state != RecordState::kExecuting || idempotency::IsAlive(record, now));
  INVARIANT(record.state != RecordState::kExecuting || record.lease_ends_at <= record.expires_at);
  return record;
}

TransitionStep Done(StoreTime now) { return {{TransitionResult::Kind::kDone, {}, now}, {}, {}}; }

TransitionStep Held(StoredRecord present, StoreTime now) {
  return {{TransitionResult::Kind::kHeld, std::move(present), now}, {}, {}};
}

TransitionStep Write(TransitionResult::Kind kind, Record record, StoreTime now) {
  Checked(record, now);
  return {{kind, {}, now}, RecordWrite::kWrite, std::move(record)};
}

TransitionStep Erase(StoreTime now) {
  return {{TransitionResult::Kind::kDone, {}, now}, RecordWrite::kErase, {}};
}

/// The start of a claim and the end of its lease. For a claim that the store forgot, both are the
/// latest that may be true, because the backend is asked only after the lease's end.
struct ClaimTimes {
  StoreTime begun_at;
  StoreTime lease_ends_at;
};

ClaimTimes TimesOf(const StoredRecord& present, const Claim& claim, StoreTime now) {
  if (present) return {present->begun_at, present->lease_ends_at};
  return {now, idempotency::LeaseEnd(now, claim.lease)};
}

TransitionResult::Kind KindOf(const StoredRecord& present) {
  return present ? TransitionResult::Kind::kDone : TransitionResult::Kind::kRewritten;
}

TransitionStep Complete(StoredRecord present, const Transition& what, StoreTime now) {
  const Claim& claim = what.claim;
  INVARIANT(what.response != nullptr);
  if (present && !Carries(present, claim.token)) return Held(std::move(present), now);
  if (IsCompleted(present)) {
    const bool is_same = IsSameResponse(*present->response, *what.response);
    return is_same ? Done(now) : Held(std::move(present), now);
  }
  const ClaimTimes times = TimesOf(present, claim, now);
  return Write(KindOf(present),
               idempotency::MakeCompleted(claim, times.begun_at, times.lease_ends_at, what.response,
                                          what.ttl, now),
               now);
}

TransitionStep MarkUnknown(StoredRecord present, const Claim& claim, StoreTime now) {
  if (present && (!Carries(present, claim.token) || IsCompleted(present))) {
    return Held(std::move(present), now);
  }
  if (present && present->state == RecordState::kUnknown) return Done(now);
  const ClaimTimes times = TimesOf(present, claim, now);
  return Write(KindOf(present),
               idempotency::MakeUnknown(claim, times.begun_at, times.lease_ends_at, now), now);
}

TransitionStep Release(StoredRecord present, const Token& token, StoreTime now) {
  if (!present) return Done(now);
  if (!Carries(present, token) || IsCompleted(present)) return Held(std::move(present), now);
  return Erase(now);
}

TransitionStep Withdraw(const StoredRecord& present, const Token& token, StoreTime now) {
  const bool is_mine = Carries(present, token) && !IsCompleted(present);
  return is_mine ? Erase(now) : Done(now);
}

TransitionStep ReleaseUnknown(StoredRecord present, const Token& token, StoreTime now) {
  if (!present) return Done(now);
  return IsUnknown(present, token, now) ? Erase(now) : Held(std::move(present), now);
}

// The record keeps the terms of its claim, whatever terms the operator was shown.
TransitionStep ResolveUnknown(StoredRecord present, Transition what, StoreTime now) {
  if (!present) return {{TransitionResult::Kind::kGone, {}, now}, {}, {}};
  if (present->state_at(now) == RecordState::kExecuting) return Held(std::move(present), now);
  const Token token = what.claim.token;
  what.claim = present->claim;
  what.claim.token = token;  // Complete() compares it with the record's
  return Complete(std::move(present), what, now);
}

}  // namespace

StoredRecord WithoutExpired(StoredRecord record, StoreTime now) {
  if (record && record->expires_at <= now) record.reset();
  return record;
}

BeginStep Begin(StoredRecord present, const Claim& claim, const std::optional<Token>& replaces,
                StoreTime now) {
  if (present) {
    const bool is_mine =
        present->state == RecordState::kExecuting && present->claim.token == claim.token;
    if (is_mine) return {{BeginResult::Kind::kClaimed, {}, now, {}}, {}, {}};
    const bool is_replaced = replaces && IsUnknown(present, *replaces, now);
    if (!is_replaced) {
      return {{BeginResult::Kind::kHeld, std::move(present), now, {}}, {}, {}};
    }
  }
  Record record = idempotency::MakeExecuting(claim, now);
  Checked(record, now);
  return {{BeginResult::Kind::kClaimed, {}, now, {}}, RecordWrite::kWrite, std::move(record)};
}

TransitionStep Apply(const Transition& transition, StoredRecord present, StoreTime now) {
  const Token& token = transition.claim.token;
  switch (transition.kind) {
    case Transition::Kind::kComplete:
      return Complete(std::move(present), transition, now);
    case Transition::Kind::kRelease:
      return Release(std::move(present), token, now);
    case Transition::Kind::kMarkUnknown:
      return MarkUnknown(std::move(present), transition.claim, now);
    case Transition::Kind::kWithdraw:
      return Withdraw(present, token, now);
    case Transition::Kind::kReleaseUnknown:
      return ReleaseUnknown(std::move(present), token, now);
    case Transition::Kind::kResolveUnknown:
      break;
  }
  return ResolveUnknown(std::move(present), transition, now);
}

LookUpStep ReserveLookUp(StoredRecord present, const Token& token,
                         std::optional<StoreTime> taken_until, StoreTime now) {
  if (!IsUnknown(present, token, now)) {
    return {{LookUpReservation::Kind::kChanged, {}, std::move(present), now}, {}, {}};
  }
  if (taken_until && now < *taken_until) {
    return {{LookUpReservation::Kind::kTaken, *taken_until - now, {}, now}, {}, {}};
  }
  return {{LookUpReservation::Kind::kGranted, {}, {}, now}, {}, {}};
}

ReadStep Read(StoredRecord present, StoreTime now) { return {{std::move(present), now}, {}, {}}; }

}  // namespace idem::store

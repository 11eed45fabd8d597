#include "proxy/store/record_steps.h"

#include <utility>

#include "proxy/base/invariant.h"

namespace idem::store {

namespace {

using idempotency::Claim;
using idempotency::Record;
using idempotency::RecordState;
using idempotency::StoredResponse;
using idempotency::Token;
using ports::BeginResult;
using ports::LookUpReservation;
using ports::TransitionResult;

bool Carries(const StoredRecord& present, const Token& token) {
  return present && present->claim.token == token;
}

/// With this token, and nobody executes it any more.
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

/// What a record must be to be written at all.
const Record& Checked(const Record& record, StoreTime now) {
  INVARIANT(record.claim.token != Token{});
  INVARIANT(record.begun_at <= now && now < record.expires_at);
  INVARIANT((record.state == RecordState::kCompleted) == record.response.has_value());
  INVARIANT(record.state != RecordState::kExecuting || now < record.lease_ends_at);
  INVARIANT(record.state != RecordState::kExecuting || record.lease_ends_at <= record.expires_at);
  return record;
}

SettleStep Done(StoreTime now) { return {{TransitionResult::Kind::kDone, {}, now}, {}, {}}; }

SettleStep Held(StoredRecord present, StoreTime now) {
  return {{TransitionResult::Kind::kHeld, std::move(present), now}, {}, {}};
}

SettleStep Write(TransitionResult::Kind kind, Record record, StoreTime now) {
  Checked(record, now);
  return {{kind, {}, now}, RecordWrite::kWrite, std::move(record)};
}

SettleStep Erase(StoreTime now) {
  return {{TransitionResult::Kind::kDone, {}, now}, RecordWrite::kErase, {}};
}

/// When a claim began and how far its lease reaches; of one that the store forgot the latest that
/// may be true, because nothing is looked up at the backend before the lease's end.
struct ClaimTimes {
  StoreTime begun_at;
  StoreTime lease_ends_at;
};

ClaimTimes LifeOf(const StoredRecord& present, const Claim& claim, StoreTime now) {
  if (present) return {present->begun_at, present->lease_ends_at};
  return {now, now + claim.lease};
}

TransitionResult::Kind KindOf(const StoredRecord& present) {
  return present ? TransitionResult::Kind::kDone : TransitionResult::Kind::kRewritten;
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

SettleStep Complete(StoredRecord present, const Claim& claim, StoredResponse response,
                    idempotency::Milliseconds ttl, StoreTime now) {
  if (present && !Carries(present, claim.token)) return Held(std::move(present), now);
  if (IsCompleted(present)) {
    return IsSameResponse(*present->response, response) ? Done(now) : Held(std::move(present), now);
  }
  const ClaimTimes life = LifeOf(present, claim, now);
  return Write(KindOf(present),
               idempotency::MakeCompleted(claim, life.begun_at, std::move(response), ttl, now),
               now);
}

SettleStep MarkUnknown(StoredRecord present, const Claim& claim, StoreTime now) {
  if (present && (!Carries(present, claim.token) || IsCompleted(present))) {
    return Held(std::move(present), now);
  }
  if (present && present->state == RecordState::kUnknown) return Done(now);
  const ClaimTimes life = LifeOf(present, claim, now);
  return Write(KindOf(present),
               idempotency::MakeUnknown(claim, life.begun_at, life.lease_ends_at, now), now);
}

SettleStep Release(StoredRecord present, const Token& token, StoreTime now) {
  if (!present) return Done(now);
  if (!Carries(present, token) || IsCompleted(present)) return Held(std::move(present), now);
  return Erase(now);
}

SettleStep Withdraw(StoredRecord present, const Token& token, StoreTime now) {
  const bool is_mine = Carries(present, token) && !IsCompleted(present);
  return is_mine ? Erase(now) : Done(now);
}

SettleStep ReleaseUnknown(StoredRecord present, const Token& token, StoreTime now) {
  if (!present) return Done(now);
  return IsUnknown(present, token, now) ? Erase(now) : Held(std::move(present), now);
}

SettleStep ResolveUnknown(StoredRecord present, const Token& token, StoredResponse response,
                          idempotency::Milliseconds ttl, StoreTime now) {
  if (!present) return {{TransitionResult::Kind::kGone, {}, now}, {}, {}};
  if (present->state_at(now) == RecordState::kExecuting) return Held(std::move(present), now);
  Claim claim = present->claim;
  claim.token = token;  // Complete() compares it with the one that lies there
  return Complete(std::move(present), claim, std::move(response), ttl, now);
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

SettleStep Look(StoredRecord present, StoreTime now) {
  return present ? Held(std::move(present), now) : Done(now);
}

}  // namespace idem::store

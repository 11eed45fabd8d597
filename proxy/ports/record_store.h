// The store of the records. Every method is one atomic step in the store and is answered on the
// caller's loop, on a later turn. An error means that it is unknown whether the step was made: a
// caller that asks again with the same token changes nothing twice.
//
// The stores hold no rules: idempotency::Decide reads what a record means for a request, and the
// store is then asked for a transition. tests/contract/ holds every implementation to this header.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/ticket.h"
#include "proxy/idempotency/record.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/transition.h"

namespace idem::ports {

struct BeginRequest {
  std::string record_key;    // idempotency::RecordKey(); the store puts its prefix before it
  idempotency::Claim claim;  // written if the key is free
  /// A record that still carries this token and is unknown (or executing with its lease ended) is
  /// replaced by the claim; any other record is kHeld, and a key that became free is claimed. Null:
  /// no record is replaced.
  std::optional<idempotency::Token> replaces;
  /// Counted in the same step, before the claim. If the limit refuses, no claim is made. Null: the
  /// step counts nothing.
  std::optional<LimitRequest> limit;
};

struct BeginResult {
  enum class Kind : std::uint8_t {
    /// The claim is written and durable: the caller may execute. This is also the answer if the
    /// same token had begun before and is still executing.
    kClaimed,
    kHeld,       // `record` holds the key; nothing was changed
    kLimited,    // the rate limit refused; nothing was changed
    kWithdrawn,  // this token was withdrawn before it arrived; nothing was changed
  };
  Kind kind = Kind::kClaimed;
  std::optional<idempotency::Record> record;  // kHeld
  StoreTime now{};                            // the store's clock, to judge `record` by
  std::optional<LimitResult> limit;           // null: BeginRequest::limit was null
};

/// Asks for the right to look up an unknown claim at the backend (semantics.md, "Reconcile").
struct LookUpRequest {
  std::string record_key;
  idempotency::Token token;  // of the unknown claim
  idempotency::Milliseconds pause{};
};

struct LookUpReservation {
  enum class Kind : std::uint8_t {
    kGranted,  // no other caller may look this record up for `pause` from now
    kTaken,    // another caller was granted it; ask again after `retry_after`
    kChanged,  // the record is no longer unknown (or executing with its lease ended) with this
               // token; `record` is the one under the key, null: there is none
  };
  Kind kind = Kind::kGranted;
  idempotency::Milliseconds retry_after{};    // kTaken
  std::optional<idempotency::Record> record;  // kChanged
  StoreTime now{};
};

struct ReadResult {
  std::optional<idempotency::Record> record;  // null: the key is free
  StoreTime now{};
};

class RecordStore {
 public:
  virtual ~RecordStore() = default;

  using OnBegun = Function<void(Result<BeginResult>)>;
  using OnApplied = Function<void(Result<TransitionResult>)>;
  using OnLookUpReserved = Function<void(Result<LookUpReservation>)>;
  using OnRead = Function<void(Result<ReadResult>)>;

  /// Claims the key if it is free.
  [[nodiscard]] virtual Ticket Begin(BeginRequest request, OnBegun on_begun) = 0;

  /// Transition::Kind states what each transition does.
  [[nodiscard]] virtual Ticket Apply(const Transition& transition, OnApplied on_applied) = 0;

  /// Reserves the look-up for one caller of all that share the store. The reservation is a mark
  /// beside the record: the record's bytes stay as they are, and a restart of the store may forget
  /// the mark. It is never given back; its pause runs out.
  [[nodiscard]] virtual Ticket ReserveLookUp(const LookUpRequest& request,
                                             OnLookUpReserved on_reserved) = 0;

  /// Returns the record as it is, for an operator and for tests.
  [[nodiscard]] virtual Ticket Read(std::string_view record_key, OnRead on_read) = 0;

  /// Returns null if the store can be asked now, otherwise the reason why not, for /readyz.
  [[nodiscard]] virtual std::optional<std::string> unavailable_reason() const = 0;
};

}  // namespace idem::ports

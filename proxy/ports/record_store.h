// Where records live. Every member is one atomic step in the store, answered on the asker's loop,
// on a later turn. An error means that it is not known whether the step was made: ask again with
// the same token, which changes nothing twice.
//
// The stores hold no rules: what a record means for a request is decided by idempotency::Decide,
// and the store is then asked for the transition. tests/contract/ holds every implementation to
// this page.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/ticket.h"
#include "proxy/idempotency/record.h"
#include "proxy/ports/rate_limiter.h"

namespace idem::ports {

struct BeginRequest {
  std::string record_key;    // idempotency::RecordKey(); the store puts its prefix before it
  idempotency::Claim claim;  // what is written if the key is free
  /// Take over: a record that is unknown (or executing with its lease ended) and still carries this
  /// token is replaced by the claim; any other answers kHeld, and a key that became free meanwhile
  /// is claimed. Null: nothing is taken over.
  std::optional<idempotency::Token> replaces;
  /// Counted in the same step, before the claim; refused: no claim is made. Null: nothing is
  /// counted.
  std::optional<LimitRequest> limit;
};

struct BeginResult {
  enum class Kind : std::uint8_t {
    /// The claim is written and durable: the caller may execute. Also when the same token had begun
    /// before and is still executing.
    kClaimed,
    kHeld,       // `record` holds the key; nothing was changed
    kLimited,    // the rate limit refused; nothing was changed
    kWithdrawn,  // this token was withdrawn before it arrived; nothing was changed
  };
  Kind kind = Kind::kClaimed;
  std::optional<idempotency::Record> record;  // kHeld
  StoreTime now{};                            // the store's clock, to judge `record` by
  std::optional<LimitResult> limit;           // where one was asked
};

/// What became of a transition that ends a claim.
struct TransitionResult {
  enum class Kind : std::uint8_t {
    kDone,  // the record is as asked, by this step or an earlier one with the same token
    /// Complete, mark unknown: the store had forgotten the claim, and it was written anew.
    kRewritten,
    /// Another token holds the key, or it is completed: nothing was changed; `record` is what it
    /// holds.
    kHeld,
    kGone,  // resolve: nothing lies under the key, and an operator makes no record
  };
  Kind kind = Kind::kDone;
  std::optional<idempotency::Record> record;  // kHeld
  StoreTime now{};
};

/// Whether the asker may look an unknown claim up at the backend (semantics.md, "Reconcile").
struct LookUpReservation {
  enum class Kind : std::uint8_t {
    kGranted,  // nobody else may look this record up for `pause` from now
    kTaken,    // somebody was granted it less than its pause ago; ask again after `retry_after`
    kChanged,  // the record is no longer unknown (or executing with its lease ended) with this
               // token; `record` is what lies there, null: nothing
  };
  Kind kind = Kind::kGranted;
  idempotency::Milliseconds retry_after{};    // kTaken
  std::optional<idempotency::Record> record;  // kChanged
  StoreTime now{};
};

class RecordStore {
 public:
  virtual ~RecordStore() = default;

  using OnBegun = Function<void(Result<BeginResult>)>;
  using OnSettled = Function<void(Result<TransitionResult>)>;
  using OnLookUpReserved = Function<void(Result<LookUpReservation>)>;

  [[nodiscard]] virtual Ticket Begin(BeginRequest question, OnBegun on_answer) = 0;

  /// executing or unknown with this token, or absent -> completed, for `ttl` from now. Completed
  /// already: kDone if by this token with this very response, else kHeld (a look-up may have
  /// recorded another one under the token), so that every caller gets the same bytes.
  [[nodiscard]] virtual Ticket Complete(std::string_view record_key,
                                        const idempotency::Claim& claim,
                                        const idempotency::StoredResponse& response,
                                        idempotency::Milliseconds ttl, OnSettled on_answer) = 0;
  /// executing or unknown with this token -> absent. Absent already: kDone.
  [[nodiscard]] virtual Ticket Release(std::string_view record_key, const idempotency::Token& token,
                                       OnSettled on_answer) = 0;
  /// executing with this token, or absent -> unknown, for claim.unknown_ttl from now. Unknown
  /// already with this token: kDone, and its time does not start anew.
  [[nodiscard]] virtual Ticket MarkUnknown(std::string_view record_key,
                                           const idempotency::Claim& claim,
                                           OnSettled on_answer) = 0;
  /// A begin with this token that was not answered in time: if it arrived, it is released; for
  /// `lease` from now one that arrives changes nothing (kWithdrawn). What it counted in the rate
  /// limit stays counted. Always kDone: a record of another token, or one that is completed, is
  /// left as it is.
  [[nodiscard]] virtual Ticket Withdraw(std::string_view record_key,
                                        const idempotency::Token& token,
                                        idempotency::Milliseconds lease, OnSettled on_answer) = 0;
  /// The right to look up what became of the claim `token`, at the backend, for one asker of all
  /// that share the store. It is a mark beside the record: the record's bytes stay as they are, and
  /// a restart of the store may forget it. Granted, it is not given back; its pause runs out.
  [[nodiscard]] virtual Ticket ReserveLookUp(std::string_view record_key,
                                             const idempotency::Token& token,
                                             idempotency::Milliseconds pause,
                                             OnLookUpReserved on_answer) = 0;

  // An operator's two steps, for the record that the operator was shown. They act on an unknown
  // record alone, or one that is executing with its lease ended: judged in the step, by the store's
  // clock. Any other (a lease that is alive, another token, completed) is kHeld.

  /// unknown with this token -> absent. Absent already: kDone.
  [[nodiscard]] virtual Ticket ReleaseUnknown(std::string_view record_key,
                                              const idempotency::Token& token,
                                              OnSettled on_answer) = 0;
  /// unknown with this claim's token -> completed, for `ttl` from now. Completed already by this
  /// token with this very response: kDone. Absent: kGone.
  [[nodiscard]] virtual Ticket ResolveUnknown(std::string_view record_key,
                                              const idempotency::Claim& claim,
                                              const idempotency::StoredResponse& response,
                                              idempotency::Milliseconds ttl,
                                              OnSettled on_answer) = 0;
  /// The record as it is, for an operator and for tests: kHeld with the record, kDone where there
  /// is none.
  [[nodiscard]] virtual Ticket Look(std::string_view record_key, OnSettled on_answer) = 0;

  /// Nothing where the store can be asked now; else why not, for /readyz.
  [[nodiscard]] virtual std::optional<std::string> unavailable_reason() const = 0;
  /// Whether Begin() takes `limit` (a Redis cluster cannot: the keys lie on different nodes).
  [[nodiscard]] virtual bool limits_with_begin() const = 0;
};

}  // namespace idem::ports

// A transition of one record, as a value: everything that ends a claim, or settles what a claim
// left behind.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/idempotency/claim_ending.h"
#include "proxy/idempotency/record.h"

namespace idem::ports {

struct Transition {
  /// "Mine" is a record that carries claim.token. A transition that does not fit the record changes
  /// nothing and returns kHeld with the record.
  enum class Kind : std::uint8_t {
    /// executing or unknown and mine, or absent -> completed, for `ttl` from now. A record that is
    /// completed already: kDone if it is mine and has this very response, otherwise kHeld (a
    /// look-up may have recorded another one under the token), so that every caller gets the same
    /// bytes.
    kComplete,
    /// executing or unknown and mine -> absent. Absent already: kDone.
    kRelease,
    /// executing and mine, or absent -> unknown, for claim.unknown_ttl from now. Unknown already
    /// and mine: kDone, and its expiry stays.
    kMarkUnknown,
    /// For a begin that was not answered in time. If it arrived, its claim is released; one that
    /// arrives within claim.lease from now changes nothing (BeginResult::kWithdrawn). The rate
    /// limit keeps its count. Always kDone: a record that is not mine, or is completed, stays.
    kWithdraw,

    // An operator's transitions, for the record that the operator was shown. They act only on a
    // record that is unknown, or executing with its lease ended by the store's clock.

    /// unknown and mine -> absent. Absent already: kDone.
    kReleaseUnknown,
    /// unknown and mine -> completed, for `ttl` from now. Completed already, mine and with this
    /// very response: kDone. Absent: kGone.
    kResolveUnknown,
  };
  /// Returns the kind that settles a claim with this ending. It is never kWithdraw, which settles a
  /// claim that was not granted.
  [[nodiscard]] static Kind KindOf(idempotency::ClaimEnding ending);

  Kind kind = Kind::kRelease;
  std::string record_key{};    // idempotency::RecordKey(); the store puts its prefix before it
  idempotency::Claim claim{};  // kRelease, kReleaseUnknown: only its token is read
  /// kComplete, kResolveUnknown: shared with the exchange that sends it; otherwise null.
  std::shared_ptr<const idempotency::StoredResponse> response{};
  idempotency::Milliseconds ttl{};  // kComplete, kResolveUnknown
};

/// The effect of a transition.
struct TransitionResult {
  enum class Kind : std::uint8_t {
    kDone,  // the record is in the state asked for, by this step or an earlier one of the token
    /// kComplete, kMarkUnknown: the store had forgotten the claim, and the record was written
    /// again.
    kRewritten,
    kHeld,  // nothing was changed; `record` holds the key
    kGone,  // kResolveUnknown: no record is under the key, and an operator creates none
  };
  Kind kind = Kind::kDone;
  std::optional<idempotency::Record> record{};  // kHeld
  StoreTime now{};
};

}  // namespace idem::ports

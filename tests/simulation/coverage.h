// Counts how often the simulated worlds met each cell of the two tables of semantics.md and each
// kind of fault. A case that was never met was never tested, so a zero fails the run.
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <string_view>

namespace idem::simulation {

/// The state of a key when `begin` came (semantics.md, "The record").
enum class Met : std::uint8_t {
  kAbsent,
  kExpiredCompleted,
  kExpiredUnknown,
  kMine,
  kExecutingOther,
  kRunOutOther,
  kCompletedOther,
  kUnknownOther,
  kReplay,
  kNotKept,
  kInProgress,
  kRunOutBothIdempotent,
  kRunOutClaimIdempotent,
  kRunOutAskerIdempotent,
  kRunOutBothLegacy,
  kUnknownBothIdempotent,
  kUnknownClaimIdempotent,
  kUnknownAskerIdempotent,
  kUnknownBothLegacy,
  kOtherRecipe,
  kStrangeRecipe,
  kTakenOver,
  kTakeoverTooLate,
  kLookUpTooEarly,
  kLookUpDue,
  kWithdrawn,
  kLimited,
  kCount,
};

/// The ending of a claim (semantics.md, "What happens to a claim"). Legacy and idempotent claims
/// are counted separately.
enum class Saw : std::uint8_t {
  kRefused,
  kNoSlot,
  kLeaseTooShort,
  kSuccess,
  kRedirect,
  kRejected,
  kNotActed,
  kConflict,
  kGateway,
  kServerError,
  kTimeout,
  kReset,
  kTruncated,
  kMalformed,
  kTooLarge,
  kTooLargeCut,
  kProcessDied,
  kCount,
};

/// A deviation that the auditor accepted because a store that failed over had forgotten a write.
enum class Excused : std::uint8_t {
  kEffect,
  kAnswer,
  kCount,
};

/// The result of a look-up (semantics.md, "Reconcile").
enum class LookedUp : std::uint8_t {
  kTaken,
  kChanged,
  kFound,
  kFoundRecorded,
  kFoundTooLate,
  kNotThere,
  kNotThereExecuted,
  kServerError,
  kTimeout,
  kTruncated,
  kTooLarge,
  kCount,
};

enum class Fault : std::uint8_t {
  kStoreSlow,
  kStoreAnswerLost,
  kStoreQuestionLost,
  kStoreDoubled,
  kStoreAway,
  kStoreLostWrites,
  kStoreClockJumped,
  kStoreClockStood,
  kWithdrawnBeforeBegun,
  kProcessDied,
  kProcessDiedWithClaim,
  kProcessRestarted,
  kProcessSuspended,
  kProcessReloaded,
  kProcessDrained,
  kDrainCutClaim,
  kLeaseRanOutAtWork,
  kEffectAfterAbort,
  kEffectAnswerLost,
  kClientLeft,
  kClientLeftBody,
  kClientRetried,
  kDuplicateElsewhere,
  kWaited,
  kWaitedTooLong,
  kWaitersFull,
  kUnrecorded,
  kUnrecordedFull,
  kMismatch,
  kUnknownTold,
  kRateLimited,
  kStoreUnavailable,
  kOperatorReleased,
  kOperatorResolved,
  kCount,
};

class Coverage {
 public:
  void Count(Met met) { ++met_[static_cast<std::size_t>(met)]; }
  void Count(Saw saw, bool idempotent) { ++saw_[idempotent][static_cast<std::size_t>(saw)]; }
  void Count(Excused row) { ++excused_[static_cast<std::size_t>(row)]; }
  void Count(LookedUp row) { ++looked_up_[static_cast<std::size_t>(row)]; }
  void Count(Fault fault) { ++faults_[static_cast<std::size_t>(fault)]; }
  void CountWorld(std::uint64_t effects, std::uint64_t answers);
  void Add(const Coverage& other);

  /// Prints the five tables, one line for each row.
  void Print(std::ostream& out) const;
  /// Returns how many rows are zero.
  [[nodiscard]] int zeros() const;
  /// Returns true if more than one effect, or one answer, in a hundred was excused. The worlds then
  /// prove too little.
  [[nodiscard]] bool excuses_too_much() const;

 private:
  template <class Row>
  using Counts = std::array<std::uint64_t, static_cast<std::size_t>(Row::kCount)>;
  Counts<Met> met_{};
  std::array<Counts<Saw>, 2> saw_{};  // legacy, idempotent
  Counts<LookedUp> looked_up_{};
  Counts<Fault> faults_{};
  Counts<Excused> excused_{};
  std::uint64_t worlds_ = 0;
  std::uint64_t effects_ = 0;
  std::uint64_t answers_ = 0;
};

}  // namespace idem::simulation

// Holds what happened in a world against the promise at the top of semantics.md: how often the
// backend's effect was made for each key, and every byte that callers were given.
//
// It knows none of the product's rules. What the contract itself excludes is excluded here, by
// name: answers marked `unrecorded`, records whose life has ended, claims that an operator
// released, and what a store that failed over forgot: of a claim that it forgot the effect may be
// made once more, of a completion that it forgot the answer may be another. What else it forgets
// excuses nothing. What a look-up found is the outcome of its key as any other response is: of the
// effect that was made for this request, recorded once, and given to everybody alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/message.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/trace.h"

namespace idem::simulation {

/// What a caller got.
struct Answer {
  http::ResponseHead head;
  std::string body;
  bool whole = false;  // false: it was cut after its head
};

/// What the caller may do next.
enum class Next : std::uint8_t { kDone, kAgain };

class Auditor {
 public:
  Auditor(Ledger& ledger, Coverage& coverage, const Trace& trace)
      : ledger_(ledger), coverage_(coverage), trace_(trace) {}

  /// The backend made an effect for `call`, now.
  void OnEffect(const Call& call);
  /// A `begin` wrote a claim.
  void OnClaimWritten(const ClaimFacts& claim, StoreTime now);
  /// A caller was answered. `present` is what the store holds under its key at this moment.
  Next OnAnswer(const Attempt& attempt, const Answer& answer,
                const std::optional<idempotency::Record>& present, BootTime now,
                StoreTime store_now);
  /// What lies in the store when everything has come to rest. `in_order`: the process that claimed
  /// it lives, or had nothing under way when it ended.
  void OnRest(const idempotency::Record& record, const ClaimFacts& claim, bool in_order);
  /// Something that must come never came.
  void Fail(std::string_view verdict);

  /// The first thing that must not be, if anything.
  [[nodiscard]] const std::optional<std::string>& verdict() const { return verdict_; }

 private:
  Next OnProblem(const Attempt& attempt, const Answer& answer, StoreTime store_now);
  Next OnExecuted(const Attempt& attempt, const Answer& answer,
                  const std::optional<idempotency::Record>& present, BootTime now,
                  StoreTime store_now);
  void CheckNotKept(const Attempt& attempt, const Answer& answer, StoreTime store_now);
  void CheckBytes(const Attempt& attempt, const Answer& answer, const Call& call);
  void CheckShown(const Call& call);
  void CheckRecorded(const Call& call, const std::optional<idempotency::Record>& present,
                     StoreTime store_now);
  void Acknowledge(const Attempt& attempt, const Call& call, BootTime now, StoreTime store_now);
  void CheckNotLost(const Attempt& attempt, const Call* instead, StoreTime store_now);
  void CheckAdvice(const Attempt& attempt, std::string_view name, std::string_view retry);
  void CheckHolder(const Attempt& attempt, bool same_request);

  Ledger& ledger_;
  Coverage& coverage_;
  const Trace& trace_;
  std::optional<std::string> verdict_;
};

}  // namespace idem::simulation

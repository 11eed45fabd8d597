// Checks the events of a world against the promise at the top of semantics.md: how often the
// backend made the effect of each key, and every byte that callers got.
//
// The auditor uses none of the product's rules. It excludes by name only the cases that the
// contract excludes:
// - answers marked `unrecorded`,
// - records whose life has ended,
// - claims that an operator released,
// - writes that a store forgot in a fail-over. The effect of a forgotten claim may be made once
//   more; the answer to a forgotten completion may be another one.
//
// The result of a look-up is the outcome of its key like any other response. It must belong to the
// effect of this request, be recorded once, and be the same for every caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/message.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/trace.h"

namespace idem::simulation {

/// The answer that a caller got.
struct Answer {
  http::ResponseHead head;
  std::string body;
  bool whole = false;  // false if it was cut after its head
};

/// The caller's next step.
enum class Next : std::uint8_t { kDone, kAgain };

class Auditor {
 public:
  Auditor(Ledger& ledger, Coverage& coverage, const Trace& trace)
      : ledger_(ledger), coverage_(coverage), trace_(trace) {}

  /// The backend made an effect for `call`, now.
  void OnEffect(const Call& call);
  /// A `begin` wrote a claim.
  void OnClaimWritten(const ClaimFacts& claim, StoreTime now);
  /// A caller got an answer. `present` is the record of its key in the store at this moment.
  Next OnAnswer(const Attempt& attempt, const Answer& answer,
                const std::optional<idempotency::Record>& present, BootTime now,
                StoreTime store_now);
  /// Checks a record when everything has come to rest. `in_order` is true if the process that
  /// claimed it is alive or had no call under way when it ended.
  void OnRest(const idempotency::Record& record, const ClaimFacts& claim, bool in_order);
  /// An event that must come has not come.
  void Fail(std::string_view verdict);

  /// Returns the first violation, if there is one.
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

// Settles claims in the store: complete, release, mark unknown, withdraw. Each transition is sent
// again, with growing pauses, until the store has answered, even if its exchange has replied and
// ended long ago.
#pragma once

#include <atomic>
#include <cstddef>
#include <list>

#include "proxy/base/loop.h"
#include "proxy/ports/record_store.h"
#include "proxy/ports/transition.h"
#include "proxy/telemetry/metrics.h"

namespace idem::exchange {

/// The responses that are held in memory because the store does not take them, counted over all
/// workers of a process.
struct UnrecordedTotals {
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::size_t> count{0};
};

/// One for each loop. It outlives the exchanges and dies before the store.
class SettlementRetrier {
 public:
  SettlementRetrier(Loop& loop, ports::RecordStore& store, UnrecordedTotals& unrecorded,
                    telemetry::Metrics& metrics)
      : loop_(loop), store_(store), unrecorded_(unrecorded), metrics_(metrics) {}
  ~SettlementRetrier();
  SettlementRetrier(const SettlementRetrier&) = delete;
  SettlementRetrier& operator=(const SettlementRetrier&) = delete;

  using OnSettled = Function<void(ports::TransitionResult)>;
  /// kAgain: another token held the key at the first offer, and that was logged.
  enum class Offer : std::uint8_t { kFirst, kAgain };

  /// Answers once the store has accepted or refused, however long that takes. Dropping the ticket
  /// only stops the answer: the settlement continues. This holds for a kWithdraw too. Otherwise a
  /// claim that was granted in a lost answer would show as an unknown outcome, although its request
  /// was never sent.
  Ticket Settle(ports::Transition settlement, OnSettled on_settled, Offer offer = Offer::kFirst);
  /// The same without an answer.
  void SettleInBackground(ports::Transition settlement);

  /// The number of settlements that the store has not answered.
  [[nodiscard]] std::size_t pending() const { return entries_.size(); }

 private:
  struct Entry {
    ports::Transition settlement{};
    Offer offer = Offer::kFirst;
    Completion<ports::TransitionResult> completion{};
    std::list<Entry>::iterator self{};
    Ticket question{};
    Ticket pause{};
    Duration next_pause{};
    std::size_t held_bytes = 0;  // counted in UnrecordedTotals since the first failure
    bool failed = false;
  };
  void Ask(Entry& entry);
  void OnAnswer(Entry& entry, Result<ports::TransitionResult> answer);
  void Retry(Entry& entry);
  void Close(Entry& entry, ports::TransitionResult answer);
  void LogHeld(const Entry& entry, const ports::TransitionResult& answer);

  Loop& loop_;
  ports::RecordStore& store_;
  UnrecordedTotals& unrecorded_;
  telemetry::Metrics& metrics_;
  std::list<Entry> entries_;
};

}  // namespace idem::exchange

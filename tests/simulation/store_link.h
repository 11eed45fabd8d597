// One proxy's link to the store: calls and answers take time, come late, are lost, or are carried
// out twice.
#pragma once

#include "tests/simulation/process_loop.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/store_server.h"

namespace idem::simulation {

/// States if this world still has faults. They end with the chaos.
struct Weather {
  Draw& draw;
  const Scenario& scenario;
  const Timeline& timeline;
  [[nodiscard]] bool calm() const { return timeline.age() >= scenario.chaos; }
  /// Returns whether a fault of that share happens now.
  [[nodiscard]] bool Strikes(std::uint64_t per_thousand) {
    return !calm() && draw.Chance(per_thousand);
  }
};

/// The attempt whose turn it is in a process, to which calls to the store belong.
struct Asking {
  Attempt* attempt = nullptr;
};

class StoreLink final : public ports::RecordStore, public ports::RateLimiter {
 public:
  StoreLink(Timeline& timeline, ProcessLoop& loop, StoreServer& server, Ledger& ledger,
            Weather& weather, Coverage& coverage, Asking& asking, bool strange)
      : timeline_(timeline),
        loop_(loop),
        server_(server),
        ledger_(ledger),
        weather_(weather),
        coverage_(coverage),
        asking_(asking),
        strange_(strange) {}

  Ticket Begin(ports::BeginRequest request, OnBegun on_begun) override;
  Ticket Apply(const ports::Transition& transition, OnApplied on_applied) override;
  Ticket ReserveLookUp(const ports::LookUpRequest& request, OnLookUpReserved on_reserved) override;
  Ticket Read(std::string_view key, OnRead on_read) override;
  Ticket Count(const ports::LimitRequest& request, OnCounted on_counted) override;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override {
    return std::nullopt;
  }

 private:
  template <class Answer, class Step>
  Ticket Ask(Function<void(Result<Answer>)> on_answer, Step step);
  /// Calls `on_answer` in the turn of `attempt`, which has now met the record in the answer, if
  /// there is one. `attempt` is null if the backend never sent the recorded response.
  template <class Answer>
  Function<void(Result<Answer>)> Tell(Attempt* attempt, Function<void(Result<Answer>)> on_answer);
  [[nodiscard]] idempotency::Claim AsWritten(idempotency::Claim claim) const;
  void CountLookUp(const idempotency::Claim& claim, const idempotency::Record& record,
                   StoreTime now);
  void Introduce(const ports::BeginRequest& question);

  Timeline& timeline_;
  ProcessLoop& loop_;
  StoreServer& server_;
  Ledger& ledger_;
  Weather& weather_;
  Coverage& coverage_;
  Asking& asking_;
  const bool strange_;  // a later version, whose recipes the others cannot read
};

}  // namespace idem::simulation

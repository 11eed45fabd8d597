// One world from one seed: some proxies, one store, one backend and their callers on a virtual
// clock, with faults. It runs until every caller has its answer, and is then judged.
#pragma once

#include <optional>
#include <string>

#include "tests/simulation/visit.h"

namespace idem::simulation {

class SimulatedWorld final : public Visit::Events {
 public:
  /// `trace` may be null. `metrics` is written and never read.
  SimulatedWorld(std::uint64_t seed, Coverage& coverage, telemetry::Metrics& metrics,
                 std::ostream* trace);
  ~SimulatedWorld() override;

  /// Returns the first violation, or nullopt.
  [[nodiscard]] std::optional<std::string> Run();

 private:
  // A caller who wants one effect and repeats the same request until the answer is final.
  struct Caller {
    const Intent* intent = nullptr;
    std::size_t attempts = 0;
    bool done = false;
  };
  // A place in which processes run one after another.
  struct Slot {
    Process* process = nullptr;  // the running process, or null
    std::optional<Duration> reloads_at;
  };

  void MakeIntents();
  Intent& MakeIntent(const std::string& key);
  void MakeRival();
  void MakeCallers();
  void MakeProcesses();
  void PlanStoreFaults();
  void PlanOperator();
  void ActAsOperator();

  void StartProcess(std::size_t slot);
  void OnStep(std::size_t slot);
  void Kill(Process& process);
  void Drain(Process& process);
  void StopWhenIdle(Process& process, Duration grace_ends);
  void End(Process& process);
  void CountDeath(const Process& process);
  [[nodiscard]] std::vector<const ClaimFacts*> ClaimsAtWork(const Process& process);
  void Reload(std::size_t slot);
  [[nodiscard]] const idempotency::Policy& PolicyOf(const Slot& slot) const;

  void Send(Caller& caller);
  void SendLater(Caller& caller);
  void OnAnswered(Visit& visit) override;
  void OnBroken(Visit& visit) override;
  [[nodiscard]] Caller& CallerOf(const Visit& visit);

  [[nodiscard]] bool over() const;
  void CheckEnd();
  void CheckRest();

  Draw draw_;
  const Scenario scenario_;
  Timeline timeline_;
  const Trace trace_;
  Coverage& coverage_;
  Ledger ledger_;
  Auditor auditor_;
  Weather weather_{draw_, scenario_, timeline_};
  StoreServer store_;
  Backend backend_;
  const Surroundings surroundings_;
  std::deque<std::unique_ptr<Process>> processes_;  // every incarnation
  std::vector<Slot> slots_;
  std::deque<Caller> callers_;
  std::deque<Visit> visits_;
  std::vector<Caller*> caller_of_;  // by the number of an attempt, from 1
  std::size_t undone_ = 0;          // callers without a final answer
};

}  // namespace idem::simulation

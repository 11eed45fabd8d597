// One process of the simulated proxy: the product's own exchanges, settlement retrier and key wait
// queue on a simulated loop, with links to the store and to the backend. It may die at any turn of
// its loop; the next incarnation starts empty.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "proxy/exchange/exchange_registry.h"
#include "tests/simulation/backend.h"
#include "tests/support/seeded_random.h"

namespace idem::simulation {

class Visit;

/// The objects that the processes of a world share.
struct Surroundings {
  Timeline& timeline;
  StoreServer& store;
  Backend& backend;
  Ledger& ledger;
  Weather& weather;
  Coverage& coverage;
  const Trace& trace;
  telemetry::Metrics& metrics;
};

/// Calls still under way after its death refer to its loop and its links, so it is kept until the
/// world ends.
class Process final : public ports::RequestReportSink {
 public:
  Process(const Surroundings& world, std::size_t slot, std::size_t number,
          const idempotency::Policy& policy, std::function<void()> on_step);
  ~Process() override { Die(); }

  void Reload(const idempotency::Policy& policy);
  /// Takes no new requests.
  void Drain() { registry_->Drain(); }
  /// Ends the grace period of the drain: requests under way are given up.
  void Cut();
  /// Stops answering. Messages that were sent before may still arrive.
  void Die();

  /// Returns the handler of a request that has come.
  http::ServerHandler* Receive(Visit& visit, http::RequestHead& head);
  void Forget(Visit& visit);

  void OnFinished(const ports::RequestReport& report) override;

  [[nodiscard]] ProcessLoop& loop() { return loop_; }
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] bool draining() const { return alive_ && registry_->draining(); }
  /// Returns true if it is alive or had no call under way when it ended.
  [[nodiscard]] bool in_order() const { return in_order_; }
  [[nodiscard]] std::size_t slot() const { return slot_; }
  [[nodiscard]] std::size_t number() const { return number_; }
  /// Returns the requests that are not answered yet.
  [[nodiscard]] std::vector<Visit*>& visits() { return visits_; }
  [[nodiscard]] Asking& asking() { return asking_; }
  /// Returns true if no request is under way.
  [[nodiscard]] bool idle() const;

 private:
  [[nodiscard]] std::shared_ptr<const exchange::SiteSnapshot> MakeSite(
      const idempotency::Policy& policy);

  const Surroundings& world_;
  const std::size_t slot_;
  const std::size_t number_;
  bool alive_ = true;
  bool in_order_ = true;
  idempotency::Policy policy_;
  support::SeededRandom random_;
  ProcessLoop loop_;
  Asking asking_;
  StoreLink store_;
  BackendLink backend_;
  exchange::UnrecordedTotals unrecorded_;
  std::optional<exchange::SettlementRetrier> settler_;
  std::optional<exchange::KeyWaitQueue> waiters_;
  std::unique_ptr<exchange::ExchangeRegistry> registry_;
  std::vector<Visit*> visits_;
};

/// Names that every world uses.
inline constexpr std::string_view kClients[] = {"shop", "bank"};
[[nodiscard]] const auth::Clients& AllClients();

}  // namespace idem::simulation

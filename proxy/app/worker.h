// One worker: a loop with its store client, exchanges and listeners. It lives on the thread that
// runs it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "proxy/app/shared_state.h"
#include "proxy/app/store_factory.h"
#include "proxy/base/random.h"
#include "proxy/config/config.h"
#include "proxy/event/event_loop.h"
#include "proxy/exchange/access_log.h"
#include "proxy/exchange/exchange_registry.h"
#include "proxy/http_server/server.h"

namespace idem::app {

class Worker {
 public:
  Worker(SharedState& shared, std::size_t index, std::shared_ptr<const config::Config> config);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Opens the store and binds each listener at its endpoint in `endpoints`, which is the endpoint
  /// of the configuration or the one that another worker bound. Port 0 lets the system choose;
  /// bound() returns the port. An error says what is wrong and what to do. An unreachable store is
  /// not an error; /readyz reports it.
  Status Start(const std::vector<event::Endpoint>& endpoints);
  [[nodiscard]] std::vector<event::Endpoint> bound() const;

  /// Runs the loop until Drain() has finished.
  void Run() { loop_.Run(); }

  // Apply() and Drain() may be called from any thread.
  void Apply(std::shared_ptr<const config::Config> config);
  /// Stops accepting and finishes running requests. Then Run() returns, at the latest after
  /// `grace`.
  void Drain(Duration grace);

  /// Called after Run(). Destroys the exchanges and everything that they use, except for the
  /// store's client and the loop: other threads may still post to it.
  void Close();

 private:
  struct BoundListener {
    event::Endpoint configured;  // of the configuration; its port may be 0
    std::unique_ptr<http_server::Server> server;
    bool draining = false;
  };
  Status Listen(const config::Listener& listener, const event::Endpoint& at);
  void ReloadListeners();
  [[nodiscard]] std::shared_ptr<const exchange::SiteSnapshot> MakeSite(
      const config::Config& config);
  void Reload(const std::shared_ptr<const config::Config>& config);
  void Tick();
  void StopWhenIdle(BootTime deadline);

  SharedState& shared_;
  const std::size_t index_;
  std::shared_ptr<const config::Config> config_;
  event::EventLoop loop_;
  SystemRandom random_;
  exchange::AccessLog access_log_;
  StoreClient store_;
  std::optional<store::GatedRecordStore> records_;  // of store_
  std::unique_ptr<exchange::SettlementRetrier> settler_;
  std::unique_ptr<exchange::ExchangeRegistry> registry_;
  std::vector<BoundListener> servers_;
  Ticket tick_;
  Ticket drain_check_;
};

}  // namespace idem::app

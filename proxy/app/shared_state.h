// The state that the workers of a process share. All of it may be used from any worker, and it
// outlives them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "proxy/admin/readiness.h"
#include "proxy/config/config.h"
#include "proxy/event/resolver.h"
#include "proxy/exchange/claim/key_wait_queue.h"
#include "proxy/exchange/claim/settlement_retrier.h"
#include "proxy/forward/in_flight_limit.h"
#include "proxy/store/embedded/embedded_store.h"
#include "proxy/store/gated_record_store.h"
#include "proxy/store/memory/memory_store.h"
#include "proxy/telemetry/metrics.h"

namespace idem::app {

class SharedState {
 public:
  /// An error says why the store cannot be opened.
  static Result<std::unique_ptr<SharedState>> Open(const config::Config& config);

  /// Returns the limit of an upstream by its name. It survives a reload, so that requests in flight
  /// stay counted.
  forward::InFlightLimit& GateOf(const forward::UpstreamOptions& upstream);

  event::Resolver resolver;
  admin::Readiness readiness;
  telemetry::Metrics metrics;
  exchange::KeyWaitQueue waiters;
  exchange::UnrecordedTotals unrecorded;
  std::atomic<std::size_t> connections{0};
  store::ClaimGate claim_gate{
      "it has not been checked yet whether the store's records were written under the scope of "
      "this configuration"};

  // The store of the configuration. Redis and PostgreSQL stores share nothing between workers.
  std::unique_ptr<store::MemoryStore> memory;
  std::unique_ptr<store::EmbeddedStore> embedded;

 private:
  explicit SharedState(const config::Config& config);

  std::mutex gates_mutex_;
  std::map<std::string, std::unique_ptr<forward::InFlightLimit>> gates_;
};

}  // namespace idem::app

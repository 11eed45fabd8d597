#include "proxy/app/shared_state.h"

#include <utility>

namespace idem::app {

SharedState::SharedState(const config::Config& config)
    : readiness(config.workers),
      waiters({config.exchange.waiters_max, config.exchange.waiter_bytes_max}) {}

Result<std::unique_ptr<SharedState>> SharedState::Open(const config::Config& config) {
  std::unique_ptr<SharedState> process(new SharedState(config));
  switch (config.store.type) {
    case store::StoreType::kMemory:
      process->memory = std::make_unique<store::MemoryStore>();
      break;
    case store::StoreType::kEmbedded: {
      auto opened = store::EmbeddedStore::Open(config.store);
      if (!opened) return std::move(opened).error();
      process->embedded = std::move(*opened);
      break;
    }
    case store::StoreType::kRedis:
    case store::StoreType::kPostgres:
      break;  // each worker connects for itself
  }
  return process;
}

forward::InFlightLimit& SharedState::GateOf(const forward::UpstreamOptions& upstream) {
  const std::lock_guard lock(gates_mutex_);
  auto& gate = gates_[upstream.name];
  if (gate) {
    gate->SetMax(upstream.max_in_flight);
  } else {
    gate = std::make_unique<forward::InFlightLimit>(upstream.max_in_flight);
  }
  return *gate;
}

}  // namespace idem::app

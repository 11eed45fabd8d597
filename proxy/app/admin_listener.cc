#include "proxy/app/admin_listener.h"

#include <utility>

#include "proxy/base/log.h"
#include "proxy/event/listener.h"

namespace idem::app {

AdminListener::AdminListener(event::EventLoop& loop, SharedState& shared, const StoreClient& store,
                             std::shared_ptr<const config::Config> config)
    : loop_(loop),
      shared_(shared),
      config_(std::move(config)),
      records_(loop, *store.records, *store.index,
               [this](std::string_view route) { return TtlOf(route); }),
      service_(
          loop, shared.readiness, [this] { return RenderMetrics(); }, records_) {
  service_.SetToken(config_->admin_token);
}

Status AdminListener::Start() {
  if (auto free = event::Listener::CheckFree(*config_->admin); !free) return free;
  auto server = http_server::Server::Start(loop_, *config_->admin, {}, service_, connections_);
  if (!server) return std::move(server).error();
  server_ = std::move(*server);
  log::Write(log::Level::kInfo, "admin_listening", {{"address", server_->bound().ToText()}});
  return Ok();
}

void AdminListener::Apply(std::shared_ptr<const config::Config> config) {
  config_ = std::move(config);
  service_.SetToken(config_->admin_token);
}

// Returns the default for a route that no longer exists.
idempotency::Milliseconds AdminListener::TtlOf(std::string_view route) const {
  for (const exchange::Route& known : config_->routes) {
    if (known.name == route && known.idempotency) return known.idempotency->ttl;
  }
  return idempotency::Policy().ttl;
}

std::string AdminListener::RenderMetrics() {
  const telemetry::Metrics& metrics = shared_.metrics;
  metrics.client_connections.Set(static_cast<std::int64_t>(shared_.connections.load()));
  metrics.waiters.Set(static_cast<std::int64_t>(shared_.waiters.count()));
  metrics.unrecorded.Set(static_cast<std::int64_t>(shared_.unrecorded.count.load()));
  metrics.unrecorded_bytes.Set(static_cast<std::int64_t>(shared_.unrecorded.bytes.load()));
  return metrics.Render();
}

}  // namespace idem::app

#include "proxy/app/worker.h"

#include <algorithm>
#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"
#include "proxy/forward/pooled_upstream.h"

namespace idem::app {

namespace {

constexpr Duration kTick = std::chrono::milliseconds(200);
constexpr Duration kDrainCheck = std::chrono::milliseconds(10);

}  // namespace

Worker::Worker(SharedState& shared, std::size_t index, std::shared_ptr<const config::Config> config)
    : shared_(shared), index_(index), config_(std::move(config)), access_log_(shared.metrics) {
  access_log_.SetFormat(config_->log.format);
}

Worker::~Worker() = default;

Status Worker::Start(const std::vector<event::Endpoint>& endpoints) {
  auto opened = OpenStore(shared_, loop_, random_, config_->store, index_ == 0);
  if (!opened) return std::move(opened).error();
  store_ = std::move(*opened);
  records_.emplace(*store_.records, shared_.claim_gate, loop_);
  settler_ = std::make_unique<exchange::SettlementRetrier>(loop_, *records_, shared_.unrecorded,
                                                           shared_.metrics);
  registry_ = std::make_unique<exchange::ExchangeRegistry>(
      exchange::ExchangeContext{{loop_, random_, *records_, *settler_, shared_.waiters,
                                 shared_.unrecorded, shared_.metrics},
                                *store_.limiter,
                                access_log_},
      MakeSite(*config_));
  Tick();
  INVARIANT(endpoints.size() == config_->listen.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (auto status = Listen(config_->listen[i], endpoints[i]); !status) return status;
  }
  return Ok();
}

std::shared_ptr<const exchange::SiteSnapshot> Worker::MakeSite(const config::Config& config) {
  auto site = std::make_shared<exchange::SiteSnapshot>();
  site->options = config.exchange;
  site->router = exchange::Router(config.routes);
  site->clients = config.clients;
  site->trusted_proxies = config.trusted_proxies;
  for (const forward::UpstreamOptions& options : config.upstreams) {
    site->upstreams.push_back(
        std::make_unique<forward::PooledUpstream>(loop_, shared_.resolver, shared_.GateOf(options),
                                                  shared_.metrics.upstream_connections, options));
  }
  return site;
}

Status Worker::Listen(const config::Listener& listener, const event::Endpoint& at) {
  // A Unix socket has one listener; the kernel spreads only those of a port.
  if (index_ > 0 && !at.unix_path.empty()) return Ok();
  auto server = http_server::Server::Start(loop_, at, config_->server, *registry_,
                                           shared_.connections, listener.tls);
  if (!server) return std::move(server).error();
  servers_.push_back({listener.endpoint, std::move(*server)});
  return Ok();
}

std::vector<event::Endpoint> Worker::bound() const {
  std::vector<event::Endpoint> endpoints;
  endpoints.reserve(servers_.size());
  for (const BoundListener& serving : servers_) endpoints.push_back(serving.server->bound());
  return endpoints;
}

// Does the work that no event triggers: flushes the log and reports the store's health.
void Worker::Tick() {
  shared_.readiness.SetStore(index_, records_->unavailable_reason());
  log::Flush();
  tick_ = loop_.After(kTick, [this] { Tick(); });
}

void Worker::Apply(std::shared_ptr<const config::Config> config) {
  loop_.Post([this, config = std::move(config)] { Reload(config); });
}

void Worker::Reload(const std::shared_ptr<const config::Config>& config) {
  if (!registry_ || registry_->draining()) return;  // posted before the end, run after it
  config_ = config;
  access_log_.SetFormat(config_->log.format);
  registry_->SetSite(MakeSite(*config_));
  ReloadListeners();
}

// Each server continues with the first listener at its address that no other server has. A server
// without one drains. The listeners that are left over are new.
void Worker::ReloadListeners() {
  std::vector<config::Listener> left = config_->listen;
  for (BoundListener& serving : servers_) {
    serving.server->SetOptions(config_->server);
    if (serving.draining) continue;
    const auto same = std::ranges::find_if(left, [&](const config::Listener& listener) {
      return listener.endpoint == serving.configured;
    });
    if (same == left.end()) {
      serving.draining = true;
      serving.server->Drain();
      continue;
    }
    serving.server->SetTls(same->tls);
    left.erase(same);
  }
  for (const config::Listener& listener : left) {
    if (auto listening = Listen(listener, listener.endpoint); !listening) {
      log::Write(log::Level::kError, "listen_failed", {{"reason", listening.error().detail}});
    }
  }
}

void Worker::Drain(Duration grace) {
  loop_.Post([this, grace] {
    if (!registry_) return;  // it never started, or has ended
    registry_->Drain();
    for (BoundListener& serving : servers_) serving.server->Drain();
    StopWhenIdle(loop_.Now() + grace);
  });
}

void Worker::StopWhenIdle(BootTime deadline) {
  std::size_t open = registry_->live() + settler_->pending();
  for (const BoundListener& serving : servers_) open += serving.server->connection_count();
  if (open == 0 || loop_.Now() >= deadline) {
    if (open != 0) {
      log::Write(log::Level::kWarn, "drain_incomplete",
                 {{"exchanges", std::uint64_t{registry_->live()}},
                  {"settlements", std::uint64_t{settler_->pending()}}});
    }
    return loop_.Stop();
  }
  drain_check_ = loop_.After(kDrainCheck, [this, deadline] { StopWhenIdle(deadline); });
}

void Worker::Close() {
  tick_.Withdraw();
  drain_check_.Withdraw();
  servers_.clear();
  if (registry_) registry_->Cut();
  registry_.reset();
  // One more turn destroys retired objects while everything that they refer to is alive.
  loop_.Post([this] { loop_.Post([this] { loop_.Stop(); }); });
  loop_.Run();
  settler_.reset();
}

}  // namespace idem::app

#include "tests/simulation/simulated_process.h"

#include <algorithm>
#include <utility>

#include "tests/simulation/visit.h"

namespace idem::simulation {

namespace {

// The site owns its upstreams and dies with the last exchange. The link outlives both.
class Upstream final : public ports::Upstream {
 public:
  explicit Upstream(BackendLink& link) : link_(link) {}
  [[nodiscard]] std::unique_ptr<ports::UpstreamCall> Send(const http::RequestHead& head,
                                                          const std::string* body,
                                                          const ports::UpstreamTerms& terms,
                                                          ports::UpstreamEvents& events) override {
    return link_.Send(head, body, terms, events);
  }
  [[nodiscard]] Duration longest_wait() const override { return link_.longest_wait(); }
  [[nodiscard]] Duration response_timeout() const override { return link_.response_timeout(); }

 private:
  BackendLink& link_;
};

}  // namespace

const auth::Clients& AllClients() {
  static const auth::Clients kAll = {{"shop", {auth::Secret("shop's secret")}},
                                     {"bank", {auth::Secret("bank's secret")}}};
  return kAll;
}

Process::Process(const Surroundings& world, std::size_t slot, std::size_t number,
                 const idempotency::Policy& policy, std::function<void()> on_step)
    : world_(world),
      slot_(slot),
      number_(number),
      policy_(policy),
      random_(world.weather.draw.Seed()),
      loop_(world.timeline, std::move(on_step)),
      store_(world.timeline, loop_, world.store, world.ledger, world.weather, world.coverage,
             asking_, world.weather.scenario.strange_replica && slot == 0),
      backend_(world.backend, loop_, number) {
  settler_.emplace(loop_, store_, unrecorded_, world.metrics);
  waiters_.emplace(exchange::KeyWaitQueue::Limits{});
  registry_ = std::make_unique<exchange::ExchangeRegistry>(
      exchange::ExchangeContext{
          {loop_, random_, store_, *settler_, *waiters_, unrecorded_, world.metrics},
          store_,
          *this},
      MakeSite(policy));
}

std::shared_ptr<const exchange::SiteSnapshot> Process::MakeSite(const idempotency::Policy& policy) {
  const Scenario& scenario = world_.weather.scenario;
  auto site = std::make_shared<exchange::SiteSnapshot>();
  site->options.store_timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(kStoreTimeout);
  site->options.max_unrecorded_bytes = scenario.max_unrecorded_bytes;
  std::vector<exchange::Route> routes(2);
  for (std::size_t i = 0; i < 2; ++i) {
    exchange::Route& route = routes[i];
    route.name = i == 0 ? "pay" : "refund";
    route.path = i == 0 ? "/pay" : "/refund";
    route.prefix = true;
    route.idempotency = policy;
    route.rate_limit = scenario.limit;
    if (scenario.authenticates) {
      route.authenticate.emplace();
      route.authenticate->scheme = auth::Scheme::kHmacBody;
    }
  }
  site->router = exchange::Router(std::move(routes));
  if (scenario.authenticates) site->clients = AllClients();
  site->upstreams.push_back(std::make_unique<Upstream>(backend_));
  return site;
}

void Process::Reload(const idempotency::Policy& policy) {
  policy_ = policy;
  registry_->SetSite(MakeSite(policy));
}

void Process::Cut() {
  in_order_ = idle();
  registry_->Cut();
}

void Process::Die() {
  if (!alive_) return;
  in_order_ = in_order_ && idle();
  alive_ = false;
  registry_.reset();  // callers die before callees
  loop_.Stop();
  settler_.reset();
  loop_.Die();
  waiters_.reset();
}

http::ServerHandler* Process::Receive(Visit& visit, http::RequestHead& head) {
  const bool full = unrecorded_.bytes.load() >= world_.weather.scenario.max_unrecorded_bytes;
  if (full) world_.coverage.Count(Fault::kUnrecordedFull);
  return registry_->OnRequest(visit, head);
}

void Process::Forget(Visit& visit) { std::erase(visits_, &visit); }

void Process::OnFinished(const ports::RequestReport& report) {
  if (report.problem != "in-progress") return;
  if (policy_.in_progress != idempotency::InProgress::kWait) return;
  const bool waited = report.total >= policy_.wait_timeout;
  world_.coverage.Count(waited ? Fault::kWaitedTooLong : Fault::kWaitersFull);
}

bool Process::idle() const {
  return !alive_ || (registry_->live() == 0 && settler_->pending() == 0);
}

}  // namespace idem::simulation

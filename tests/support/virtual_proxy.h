// One proxy without sockets: the product's exchanges over a virtual loop, a fake store and a fake
// upstream.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/exchange/exchange_registry.h"
#include "tests/support/fake_client.h"
#include "tests/support/fake_store.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/seeded_random.h"
#include "tests/support/virtual_loop.h"

namespace idem::support {

struct KeptReport {
  std::uint16_t status = 0;
  exchange::RequestDecision verdict = exchange::RequestDecision::kFailed;
  std::string problem;
  std::string would;
  std::string mismatch_in;
};

class VirtualProxy final : public ports::RequestReportSink {
 public:
  VirtualProxy(VirtualLoop& loop, FakeStoreState& state, std::uint64_t seed = 1)
      : loop_(loop),
        random_(seed),
        store(loop, state),
        settler_(loop, store, unrecorded, metrics),
        waiters({}) {}
  ~VirtualProxy() override {
    registry_.reset();
    loop_.Settle();
  }

  /// Serves one route POST /orders on one upstream with this policy; `edit` may change the rest.
  void Serve(const idempotency::Policy& policy,
             const std::function<void(exchange::Route&, exchange::SiteSnapshot&)>& edit = {}) {
    auto site = std::make_shared<exchange::SiteSnapshot>();
    exchange::Route route;
    route.name = "orders";
    route.path = "/orders";
    route.idempotency = policy;
    auto upstream_owner = std::make_unique<FakeUpstream>(loop_);
    upstream = upstream_owner.get();
    site->upstreams.push_back(std::move(upstream_owner));
    if (edit) edit(route, *site);
    site->router = exchange::Router({route});
    if (registry_) {
      registry_->SetSite(std::move(site));
    } else {
      registry_ = std::make_unique<exchange::ExchangeRegistry>(
          exchange::ExchangeContext{
              {loop_, random_, store, settler_, waiters, unrecorded, metrics}, store, *this},
          std::move(site));
    }
  }

  struct Sent {
    std::unique_ptr<FakeClient> client = std::make_unique<FakeClient>();
    http::ServerHandler* handler = nullptr;
    FakeClient* operator->() const { return client.get(); }
  };
  /// Sends a request's head and does not settle the loop.
  Sent Head(std::string_view key, std::uint64_t body_bytes,
            std::initializer_list<http::FieldLine> fields = {}, std::string_view method = "POST",
            std::string_view target = "/orders") {
    Sent sent;
    http::RequestHead head;
    head.method = method;
    head.target = target;
    head.fields.Add("Host", "pay.test");
    if (!key.empty()) head.fields.Add("Idempotency-Key", key);
    for (const http::FieldLine& field : fields) head.fields.Add(field.name, field.value);
    head.body = http::BodyLength::Known(body_bytes);
    sent.handler = registry_->OnRequest(*sent.client, head);
    return sent;
  }
  /// Sends a request with its whole body, if the exchange asks for the body.
  Sent Post(std::string_view key, std::string_view body = "{\"a\":1}",
            std::initializer_list<http::FieldLine> fields = {}, std::string_view method = "POST",
            std::string_view target = "/orders") {
    Sent sent = Head(key, body.size(), fields, method, target);
    if (sent.client->body_wanted && !body.empty()) {
      sent.handler->OnBody(body);
      sent.handler->OnBodyEnd();
    }
    return sent;
  }

  void OnFinished(const ports::RequestReport& report) override {
    reports.push_back({report.status, report.verdict, std::string(report.problem),
                       std::string(report.would), std::string(report.mismatch_in)});
  }

  [[nodiscard]] exchange::ExchangeRegistry& registry() { return *registry_; }
  [[nodiscard]] exchange::SettlementRetrier& settler() { return settler_; }

 private:
  VirtualLoop& loop_;
  SeededRandom random_;

 public:
  FakeStore store;
  exchange::UnrecordedTotals unrecorded;
  telemetry::Metrics metrics;

 private:
  exchange::SettlementRetrier settler_;

 public:
  exchange::KeyWaitQueue waiters;
  FakeUpstream* upstream = nullptr;
  std::vector<KeptReport> reports;

 private:
  std::unique_ptr<exchange::ExchangeRegistry> registry_;
};

}  // namespace idem::support

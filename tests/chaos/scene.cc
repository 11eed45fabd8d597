#include "tests/chaos/scene.h"

#include <csignal>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace idem::chaos {

namespace {

using support::BuiltProgram;
using support::FreePort;
using support::Process;

constexpr std::string_view kFile = "proxy-";

// Short waits, so that a lease (about 9 s) ends within a run.
constexpr std::string_view kUpstream =
    "{ url: \"http://127.0.0.1:PORT\", connect_timeout: 500ms, response_timeout: 1500ms, "
    "queue_timeout: 500ms }";
constexpr std::string_view kReconcile =
    ", reconcile: { get: \"/orders?idempotency_key={key}\", found: 201, found_when: /order/id, "
    "after: 2s, interval: 1s }";

std::string With(std::string_view text, std::string_view what, const std::string& by) {
  std::string result(text);
  const auto at = result.find(what);
  return at == std::string::npos ? result : result.replace(at, what.size(), by);
}

// Returns the value of Idempotency-Key in the head of a request, or "".
std::string_view KeyIn(std::string_view bytes) {
  constexpr std::string_view kField = "Idempotency-Key: ";
  const auto at = bytes.find(kField);
  if (!bytes.starts_with("POST ") || at == std::string_view::npos) return {};
  const auto from = at + kField.size();
  return bytes.substr(from, bytes.find('\r', from) - from);
}

std::string DatabaseAt(const support::Relay& relay) {
  return "postgres://postgres@127.0.0.1:" + std::to_string(relay.port()) + "/postgres";
}

support::RedisServer::Settings DurableRedis() {
  return {{"appendonly", "yes"}, {"appendfsync", "always"}};
}

}  // namespace

// ---- One program
// ---------------------------------------------------------------------------------

void Service::Start() { process_.emplace(Process::Start(command_)); }

void Service::Kill() {
  process_->Signal(SIGKILL);
  process_->WaitForExit();
  written_ += process_->output();
  process_.reset();
}

void Service::Freeze() { process_->Signal(SIGSTOP); }
void Service::Thaw() { process_->Signal(SIGCONT); }

int Service::Terminate() {
  process_->Signal(SIGTERM);
  const int code = process_->WaitForExit();
  written_ += process_->output();
  process_.reset();
  return code;
}

void Service::CheckThatItRuns() {
  if (!process_ || process_->running()) return;
  throw std::runtime_error(command_.program + " ended by itself with " +
                           std::to_string(process_->WaitForExit()) + "\n" +
                           process_->error_output());
}

std::size_t Service::CountLines(std::string_view text) const {
  std::istringstream lines(written_ + (process_ ? process_->output() : ""));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.find(text) != std::string::npos;
  return count;
}

Proxy::Proxy(Process::Command command, std::uint16_t port, std::uint16_t backend_port)
    : service(std::move(command), port), front(port), back(backend_port) {}

// ---- All of them
// ---------------------------------------------------------------------------------

Scene::Scene(StoreKind kind, Ledger& ledger) : kind_(kind) {
  const std::uint16_t orders_port = FreePort();
  orders_ = std::make_unique<Service>(
      Process::Command{BuiltProgram("orders"),
                       {"--listen", "127.0.0.1:" + std::to_string(orders_port), "--database",
                        DatabaseAt(behind_), "--legacy", "--delay",
                        std::to_string(kBackendDelay.count()) + "ms", "--log-level", "warn"},
                       {}},
      orders_port);
  orders_->Start();
  orders_->WaitUntilItListens();
  if (kind == StoreKind::kRedis) redis_.emplace(DurableRedis());
  if (kind == StoreKind::kPostgres) store_database_.emplace();
  const std::size_t count = kind == StoreKind::kEmbedded ? 1 : 2;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string file =
        folder_.path() + "/" + std::string(kFile) + std::to_string(i) + ".yaml";
    proxies_.push_back(std::make_unique<Proxy>(
        Process::Command{BuiltProgram("idemproxy"), {"run", "-c", file}, {}}, FreePort(),
        orders_port));
    Proxy& proxy = *proxies_.back();
    if (redis_) proxy.aside.emplace(redis_->port());
    if (store_database_) proxy.aside.emplace(store_database_->port());
    proxy.back.WatchClients([&ledger, i](std::string_view bytes) {
      if (const auto key = KeyIn(bytes); !key.empty()) ledger.Forwarded(i, key);
    });
    WriteConfiguration(i, false);
    proxy.service.Start();
    proxy.service.WaitUntilItListens();
  }
}

void Scene::WriteConfiguration(std::size_t number, bool reconciles) {
  const Proxy& proxy = *proxies_[number];
  folder_.Write(
      std::string(kFile) + std::to_string(number) + ".yaml",
      "listen: 127.0.0.1:" + std::to_string(proxy.service.port()) +
          "\nadmin: off\nworkers: 2\nlog: { level: warn }\nstore: " + StoreYaml(proxy) +
          "\nupstreams:\n  orders: " + With(kUpstream, "PORT", std::to_string(proxy.back.port())) +
          "\nroutes:\n  - path: /orders\n    upstream: orders\n    idempotency: { wait_timeout: "
          "2s, "
          "record_timeout: 500ms, max_waiters_per_key: 64" +
          std::string(reconciles ? kReconcile : "") + " }\n");
}

std::string Scene::StoreYaml(const Proxy& proxy) const {
  switch (kind_) {
    case StoreKind::kRedis:
      return "{ type: redis, url: \"redis://127.0.0.1:" + std::to_string(proxy.aside->port()) +
             "/0\" }";
    case StoreKind::kPostgres:
      return "{ type: postgres, url: \"" + DatabaseAt(*proxy.aside) + "\" }";
    case StoreKind::kEmbedded:
      break;
  }
  return "{ type: embedded, path: \"" + folder_.path() + "/db\" }";
}

std::vector<std::uint16_t> Scene::fronts() const {
  std::vector<std::uint16_t> ports;
  for (const auto& proxy : proxies_) ports.push_back(proxy->front.port());
  return ports;
}

ProxySet Scene::everybody() const {
  ProxySet all;
  for (std::size_t i = 0; i < proxies_.size(); ++i) all.insert(i);
  return all;
}

void Scene::CheckThatAllRun() {
  orders_->CheckThatItRuns();
  for (const auto& proxy : proxies_) proxy->service.CheckThatItRuns();
}

void Scene::TurnReconcileOn() {
  for (std::size_t i = 0; i < proxies_.size(); ++i) {
    Service& service = proxies_[i]->service;
    if (const int code = service.Terminate(); code != 0) {
      throw std::runtime_error("a proxy that drained ended with " + std::to_string(code));
    }
    WriteConfiguration(i, true);
    service.Start();
    service.WaitUntilItListens();
  }
}

Effects Scene::CollectEffects() {
  orders_->Terminate();
  std::istringstream rows(support::PostgresClient(database_.url())
                              .Ask("SELECT coalesce(string_agg(idempotency_key || ' ' || id, ' '), "
                                   "'') FROM orders"));
  Effects effects;
  for (std::string key, id; rows >> key >> id;) effects[key].push_back(id);
  return effects;
}

std::size_t Scene::CountDoubtfulEffects() const {
  std::size_t count = 0;
  for (const auto& proxy : proxies_) {
    count += proxy->service.CountLines("\"event\":\"duplicate_effect_possible\"");
  }
  return count;
}

}  // namespace idem::chaos

// The programs of a run: the proxies, their store, the backend `orders --legacy` with its database,
// and a relay between each two of them.
//
//   callers ──front──▶ proxy 0..n ──back──▶ orders ──behind──▶ PostgreSQL
//                          └──aside──▶ Redis | PostgreSQL      (the embedded store is in the proxy)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/chaos/effect_ledger.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"
#include "tests/support/redis_server.h"
#include "tests/support/relay.h"
#include "tests/support/temp_folder.h"

namespace idem::chaos {

enum class StoreKind { kRedis, kEmbedded, kPostgres };

/// One program on its own port that can be killed and started again there.
class Service {
 public:
  Service(support::Process::Command command, std::uint16_t port)
      : command_(std::move(command)), port_(port) {}

  void Start();  // does not wait until it listens
  void WaitUntilItListens() { process_->WaitForPort(port_); }
  void Kill();      // sends SIGKILL
  void Freeze();    // sends SIGSTOP
  void Thaw();      // sends SIGCONT
  int Terminate();  // sends SIGTERM and returns the exit code
  /// Fails if it ended by itself, because no fault may crash a program.
  void CheckThatItRuns();
  [[nodiscard]] bool started() const { return process_.has_value(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Counts the lines with `text` in all its output.
  [[nodiscard]] std::size_t CountLines(std::string_view text) const;

 private:
  support::Process::Command command_;
  std::uint16_t port_;
  std::optional<support::Process> process_;
  std::string written_;  // by instances that ended
};

struct Proxy {
  Proxy(support::Process::Command command, std::uint16_t port, std::uint16_t backend_port);
  Service service;
  support::Relay front;
  support::Relay back;
  std::optional<support::Relay> aside;  // none for the embedded store
};

class Scene {
 public:
  static constexpr Milliseconds kBackendDelay{120};

  /// Starts everything and returns when it listens.
  Scene(StoreKind kind, Ledger& ledger);

  [[nodiscard]] StoreKind kind() const { return kind_; }
  std::vector<std::unique_ptr<Proxy>>& proxies() { return proxies_; }
  Service& orders() { return *orders_; }
  support::PostgresServer& database() { return database_; }
  support::Relay& behind() { return behind_; }
  support::RedisServer* redis() { return redis_ ? &*redis_ : nullptr; }
  support::PostgresServer* store_database() {
    return store_database_ ? &*store_database_ : nullptr;
  }

  /// Returns the ports that callers use.
  [[nodiscard]] std::vector<std::uint16_t> fronts() const;
  [[nodiscard]] ProxySet everybody() const;

  /// Fails if a program ended that was not killed.
  void CheckThatAllRun();
  /// Drains every proxy and starts it again on the same store with `reconcile`.
  void TurnReconcileOn();
  /// Stops the backend in order, so that its rows are final, and returns them.
  Effects CollectEffects();
  /// Counts the effects that the proxies logged as possibly duplicate.
  [[nodiscard]] std::size_t CountDoubtfulEffects() const;

 private:
  void WriteConfiguration(std::size_t number, bool reconciles);
  [[nodiscard]] std::string StoreYaml(const Proxy& proxy) const;

  const StoreKind kind_;
  support::TempFolder folder_;
  support::PostgresServer database_;
  support::Relay behind_{database_.port()};
  std::unique_ptr<Service> orders_;
  std::optional<support::RedisServer> redis_;
  std::optional<support::PostgresServer> store_database_;
  std::vector<std::unique_ptr<Proxy>> proxies_;
};

}  // namespace idem::chaos

// PostgreSQL for tests: databases on the shared server, and a private server for a test that stops,
// kills or restarts it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/process.h"

struct pg_conn;

namespace idem::support {

/// One blocking connection for a test's own queries. Every failure is a std::runtime_error.
class PostgresClient {
 public:
  explicit PostgresClient(const std::string& url);
  ~PostgresClient();
  PostgresClient(const PostgresClient&) = delete;
  PostgresClient& operator=(const PostgresClient&) = delete;

  void Run(const std::string& sql);
  /// Returns the first column of the first row. Fails if there is no row.
  std::string Ask(const std::string& sql);

 private:
  pg_conn* connection_;
};

/// An empty database on the server of scripts/with_servers, dropped at the end.
class TestDatabase {
 public:
  TestDatabase();
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }
  PostgresClient& client() { return *client_; }

 private:
  std::string name_;
  std::string url_;
  std::optional<PostgresClient> client_;
};

/// A server on a free port of 127.0.0.1, with its own folder, which is removed at the end. It is
/// ready when the constructor returns. Its fsync is off: its data survives crashes of the server,
/// but not of the machine.
class PostgresServer {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;  // as in postgresql.conf

  /// `settings` come after the defaults of this class and override them.
  explicit PostgresServer(Settings settings = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Returns the URL of its superuser on the database `postgres`.
  [[nodiscard]] std::string url() const;

  void Stop();   // cuts its clients off and waits for its end
  void Kill();   // sends SIGKILL to its first process; Start() recovers what it acknowledged
  void Crash();  // sends SIGKILL to all its processes and waits for their end
  void Start();  // starts on the same port, after Stop(), Kill() or Crash()

  void Freeze();  // sends SIGSTOP to all its processes
  void Thaw();    // sends SIGCONT to all its processes

 private:
  [[nodiscard]] bool TryStart();
  void SignalAll(int number);
  [[nodiscard]] Process::Command AsPostgres(std::string program,
                                            std::vector<std::string> arguments) const;

  Settings settings_;
  std::filesystem::path programs_;
  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  std::optional<Process> process_;
};

}  // namespace idem::support

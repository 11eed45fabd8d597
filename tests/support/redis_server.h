// A private Redis for a test that restarts, kills, stops or reconfigures its server.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"

namespace idem::support {

/// A redis-server on a free port of 127.0.0.1, with its own folder, which is removed at the end. It
/// is ready when the constructor returns. Every failure is a std::runtime_error.
class RedisServer {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;  // as in redis.conf

  /// `settings` come after the defaults of this class (nothing saved, no append-only file) and
  /// override them.
  explicit RedisServer(Settings settings = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;  // redis://127.0.0.1:PORT

  void Kill();      // sends SIGKILL and waits for its end
  void Start();     // starts on the same port, after Kill()
  void Stop();      // sends SIGSTOP: the kernel still accepts connections, but none is answered
  void Continue();  // sends SIGCONT

 private:
  [[nodiscard]] bool TryStart();

  Settings settings_;
  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  std::optional<Process> process_;
};

/// A sentinel that watches a master on 127.0.0.1 as `mymaster`. It decides alone, after `silence`.
/// It finds the replicas that the master had at its start, and has found the master when the
/// constructor returns.
class RedisSentinel {
 public:
  RedisSentinel(std::uint16_t master_port, std::chrono::milliseconds silence);
  ~RedisSentinel();
  RedisSentinel(const RedisSentinel&) = delete;
  RedisSentinel& operator=(const RedisSentinel&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  [[nodiscard]] bool TryStart(std::uint16_t master_port, std::chrono::milliseconds silence);

  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  std::optional<Process> process_;
};

}  // namespace idem::support

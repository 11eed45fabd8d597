// A private Redis for a test that does to its server what no shared one can bear: restarts, kills,
// stops it, or sets it up in another way.
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

/// One redis-server on a free port of 127.0.0.1, with a folder of its own that goes with it. It is
/// ready when the constructor returns. Every failure is a std::runtime_error.
class RedisServer {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;  // as in redis.conf

  /// `settings` come after ours (nothing saved, no append-only file), and so win.
  explicit RedisServer(Settings settings = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const;  // redis://127.0.0.1:PORT

  void Kill();      // SIGKILL, and waits for its end
  void Start();     // on the same port, after Kill()
  void Stop();      // SIGSTOP: the kernel still accepts for it, and nothing answers
  void Continue();  // SIGCONT

 private:
  [[nodiscard]] bool TryStart();

  Settings settings_;
  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  std::optional<Process> process_;
};

/// One sentinel that watches a master of 127.0.0.1 under the name `mymaster`, decides alone, and
/// takes `silence` for its end. It knows the replicas that the master had when this
/// began, and has told of the master when the constructor returns.
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

#include "tests/support/redis_server.h"

#include <stdlib.h>

#include <csignal>
#include <fstream>
#include <stdexcept>

namespace idem::support {
namespace {

constexpr int kAttempts = 5;  // another program may take a free port first

std::filesystem::path MakeFolder() {
  std::string name = std::filesystem::temp_directory_path() / "idem-redis.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder for Redis");
  return name;
}

}  // namespace

RedisServer::RedisServer(Settings settings)
    : settings_(std::move(settings)), folder_(MakeFolder()) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    port_ = FreePort();
    if (TryStart()) return;
  }
  std::filesystem::remove_all(folder_);
  throw std::runtime_error("redis-server does not start");
}

RedisServer::~RedisServer() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string RedisServer::url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

void RedisServer::Kill() {
  process_->Signal(SIGKILL);
  process_->WaitForExit();
  process_.reset();
}

void RedisServer::Start() {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (TryStart()) return;
  }
  throw std::runtime_error("redis-server does not start again");
}

void RedisServer::Stop() { process_->Signal(SIGSTOP); }

void RedisServer::Continue() { process_->Signal(SIGCONT); }

bool RedisServer::TryStart() {
  Process::Command command{
      .program = "redis-server",
      .arguments = {"--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir",
                    folder_.string(), "--save", "", "--appendonly", "no"},
      .environment = {}};
  for (const auto& [name, value] : settings_) {
    command.arguments.push_back("--" + name);
    command.arguments.push_back(value);
  }
  process_.emplace(Process::Start(command));
  try {
    process_->WaitForLine("Ready to accept connections");
    return true;
  } catch (const std::runtime_error&) {
    process_.reset();
    return false;
  }
}

RedisSentinel::RedisSentinel(std::uint16_t master_port, std::chrono::milliseconds silence)
    : folder_(MakeFolder()) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    port_ = FreePort();
    if (TryStart(master_port, silence)) return;
  }
  std::filesystem::remove_all(folder_);
  throw std::runtime_error("the sentinel does not start");
}

RedisSentinel::~RedisSentinel() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

// The sentinel writes its state into its configuration file.
bool RedisSentinel::TryStart(std::uint16_t master_port, std::chrono::milliseconds silence) {
  const std::filesystem::path file = folder_ / "sentinel.conf";
  std::ofstream(file) << "port " << port_ << "\nbind 127.0.0.1\ndir " << folder_.string()
                      << "\nsentinel monitor mymaster 127.0.0.1 " << master_port
                      << " 1\nsentinel down-after-milliseconds mymaster " << silence.count()
                      << "\nsentinel failover-timeout mymaster 5000\n";
  process_.emplace(Process::Start(
      {.program = "redis-server", .arguments = {file.string(), "--sentinel"}, .environment = {}}));
  try {
    process_->WaitForLine("+slave");
    return true;
  } catch (const std::runtime_error&) {
    process_.reset();
    return false;
  }
}

}  // namespace idem::support

// What is said on every new connection before the first question: who we are, what the server is,
// and the scripts.
//
//   AUTH [user] password      where the URL has one
//   SELECT db                 where it is not 0
//   ROLE                      where sentinels named it: they may not know yet
//   INFO                      role, cluster, eviction, append-only file
//   CONFIG GET appendfsync    may be forbidden
//   SCRIPT LOAD text          once for each script; each answers the name for EVALSHA
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/store/redis/redis_address.h"
#include "proxy/store/redis/resp.h"
#include "proxy/store/redis/scripts.h"

namespace idem::store {

using RedisScriptNames = std::array<std::string, kRedisScriptCount>;

/// What a server told of itself. What it did not tell is empty, and counts as the worse.
struct RedisServerSettings {
  bool cluster = false;
  bool replica = false;
  bool read_only = false;  // a replica that takes no writes
  std::string version;
  std::string maxmemory_policy;
  std::string appendonly;   // "1", "0"
  std::string appendfsync;  // "always", "everysec", "no"

  void ReadInfo(std::string_view info);
};

/// One sentence for each thing by which this server may forget a claim; none for one that keeps
/// what it confirmed.
[[nodiscard]] std::vector<std::string> DurabilityRisks(const RedisServerSettings& facts);

/// The greeting of one connection.
class RedisHandshake {
 public:
  /// `require_durable`: what DurabilityRisks() says is a refusal.
  RedisHandshake(const RedisAddress& address, bool require_durable);

  /// All its commands, to be sent in one piece.
  [[nodiscard]] std::string Commands() const;

  /// The next reply. Nothing while more are awaited; then Ok, or why this server cannot be used.
  [[nodiscard]] std::optional<Status> Take(RedisValue reply);

  // After Ok.
  [[nodiscard]] const RedisScriptNames& names() const { return names_; }
  [[nodiscard]] const RedisServerSettings& facts() const { return facts_; }

 private:
  enum class Step : std::uint8_t { kAuth, kSelect, kRole, kInfo, kConfig, kScripts };

  [[nodiscard]] std::optional<Error> Check(RedisValue reply);
  [[nodiscard]] std::optional<Error> CheckRole(RedisValue reply) const;
  [[nodiscard]] std::optional<Error> CheckInfo(RedisValue reply);
  [[nodiscard]] std::optional<Error> CheckScript(RedisValue reply);
  [[nodiscard]] std::optional<Error> CheckFacts() const;
  [[nodiscard]] Error Refuse(std::string_view why) const;

  const RedisAddress& address_;
  const bool require_durable_;
  const std::string where_;
  std::vector<Step> steps_;  // one for each awaited reply
  std::size_t taken_ = 0;
  std::size_t scripts_ = 0;  // of them are loaded
  RedisScriptNames names_;
  RedisServerSettings facts_;
};

}  // namespace idem::store

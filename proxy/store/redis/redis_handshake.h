// The commands of every new connection, before the first question:
//
//   AUTH [user] password      if the URL has a password
//   SELECT db                 if it is not 0
//   ROLE                      if Sentinel named the server: its view may be old
//   INFO                      role, cluster, eviction, append-only file
//   CONFIG GET appendfsync    may be forbidden
//   SCRIPT LOAD text          for each script; the reply is its name for EVALSHA
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

/// Settings that the server reported. A missing setting is empty and counts as unsafe.
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

/// Returns a sentence for each setting that may lose a confirmed claim.
[[nodiscard]] std::vector<std::string> DurabilityRisks(const RedisServerSettings& settings);

/// One connection's handshake.
class RedisHandshake {
 public:
  /// `require_durable`: DurabilityRisks() refuse the server.
  RedisHandshake(const RedisAddress& address, bool require_durable);

  /// Returns all commands, which are sent in one write.
  [[nodiscard]] std::string Commands() const;

  /// Takes the next reply. Returns null while more are to come; then Ok, or why this server cannot
  /// be used.
  [[nodiscard]] std::optional<Status> Take(RedisValue reply);

  // Complete after Ok.
  [[nodiscard]] const RedisScriptNames& names() const { return names_; }
  [[nodiscard]] const RedisServerSettings& settings() const { return settings_; }

 private:
  enum class Step : std::uint8_t { kAuth, kSelect, kRole, kInfo, kConfig, kScripts };

  [[nodiscard]] std::optional<Error> Check(RedisValue reply);
  [[nodiscard]] std::optional<Error> CheckRole(RedisValue reply) const;
  [[nodiscard]] std::optional<Error> CheckInfo(RedisValue reply);
  [[nodiscard]] std::optional<Error> CheckScript(RedisValue reply);
  [[nodiscard]] std::optional<Error> CheckSettings() const;
  [[nodiscard]] Error Refuse(std::string_view why) const;

  const RedisAddress& address_;
  const bool require_durable_;
  const std::string where_;
  std::vector<Step> steps_;  // one for each awaited reply
  std::size_t taken_ = 0;
  std::size_t scripts_ = 0;  // that are loaded
  RedisScriptNames names_;
  RedisServerSettings settings_;
};

}  // namespace idem::store

#include "proxy/store/redis/redis_handshake.h"

#include <algorithm>

#include "proxy/store/remote/durability_refusal.h"

namespace idem::store {
namespace {

constexpr std::size_t kScriptNameBytes = 40;  // SHA-1 in hexadecimal

// A server that is full replies so to the first command, whichever it is.
bool IsFull(RedisValue reply) {
  return reply.error().value_or("").starts_with("ERR max number of clients");
}

bool IsScriptName(std::string_view text) {
  return text.size() == kScriptNameBytes && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

void RedisServerSettings::ReadInfo(std::string_view info) {
  while (!info.empty()) {
    const std::size_t end = std::min(info.find("\r\n"), info.size());
    const std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 2, info.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    if (name == "redis_version") version = value;
    if (name == "cluster_enabled") cluster = value == "1";
    if (name == "role") replica = value != "master";
    if (name == "slave_read_only") read_only = value == "1";
    if (name == "maxmemory_policy") maxmemory_policy = value;
    if (name == "aof_enabled") appendonly = value;
  }
}

std::vector<std::string> DurabilityRisks(const RedisServerSettings& settings) {
  std::vector<std::string> reasons;
  if (settings.replica) {
    reasons.emplace_back("it is a replica, and writes to it are lost when it syncs");
  }
  if (settings.maxmemory_policy != "noeviction") {
    reasons.push_back(settings.maxmemory_policy.empty()
                          ? "it does not report its maxmemory-policy, which should be noeviction"
                          : "its maxmemory-policy is " + settings.maxmemory_policy +
                                ", which may evict records; set noeviction");
  }
  if (settings.appendonly != "1") {
    reasons.emplace_back("it keeps no append-only file, so a restart forgets; set appendonly yes");
  } else if (settings.appendfsync != "always") {
    reasons.push_back(settings.appendfsync.empty()
                          ? "it does not report its appendfsync, which should be always"
                          : "its appendfsync is " + settings.appendfsync +
                                ", so a power loss forgets the last writes; set always");
  }
  return reasons;
}

RedisHandshake::RedisHandshake(const RedisAddress& address, bool require_durable)
    : address_(address), require_durable_(require_durable), where_("Redis at " + address.ToText()) {
  if (!address.password.empty()) steps_.push_back(Step::kAuth);
  if (address.database != 0) steps_.push_back(Step::kSelect);
  if (!address.sentinels.empty()) steps_.push_back(Step::kRole);
  steps_.push_back(Step::kInfo);
  steps_.push_back(Step::kConfig);
  steps_.insert(steps_.end(), kRedisScriptCount, Step::kScripts);
}

std::string RedisHandshake::Commands() const {
  std::string out;
  if (!address_.password.empty()) {
    if (address_.user.empty()) {
      AppendRedisCommand({"AUTH", address_.password}, out);
    } else {
      AppendRedisCommand({"AUTH", address_.user, address_.password}, out);
    }
  }
  if (address_.database != 0) {
    AppendRedisCommand({"SELECT", std::to_string(address_.database)}, out);
  }
  if (!address_.sentinels.empty()) AppendRedisCommand({"ROLE"}, out);
  AppendRedisCommand({"INFO"}, out);
  AppendRedisCommand({"CONFIG", "GET", "appendfsync"}, out);
  for (std::size_t i = 0; i < kRedisScriptCount; ++i) {
    AppendRedisCommand({"SCRIPT", "LOAD", RedisScriptText(static_cast<RedisScript>(i))}, out);
  }
  return out;
}

std::optional<Status> RedisHandshake::Take(RedisValue reply) {
  if (std::optional<Error> error = Check(reply)) return Status(std::move(*error));
  ++taken_;
  if (taken_ < steps_.size()) return {};
  return Ok();
}

std::optional<Error> RedisHandshake::Check(RedisValue reply) {
  if (IsFull(reply)) return ExplainRedisError(where_, *reply.error());
  switch (steps_[taken_]) {
    case Step::kAuth:
      if (!reply.error()) return {};
      // A server without a password replies with a plain ERR.
      if (reply.error()->starts_with("ERR"))
        return Refuse("takes no password, but store.url has one");
      return ExplainRedisError(where_, *reply.error());
    case Step::kSelect:
      if (!reply.error()) return {};
      if (reply.error()->starts_with("ERR")) return Refuse("has no database of that number");
      return ExplainRedisError(where_, *reply.error());
    case Step::kRole:
      return CheckRole(reply);
    case Step::kInfo:
      return CheckInfo(reply);
    case Step::kConfig:
      if (reply.size() == 2) settings_.appendfsync = reply.at(1).text().value_or("");
      return CheckSettings();
    case Step::kScripts:
      return CheckScript(reply);
  }
  return {};
}

// This is not a refusal, because Sentinel will name another server soon.
std::optional<Error> RedisHandshake::CheckRole(RedisValue reply) const {
  if (reply.error()) return ExplainRedisError(where_, *reply.error());
  if (reply.at(0).text() == "master") return {};
  return Error{ErrorCode::kUnavailable, where_ + " is no master, though a sentinel said so"};
}

std::optional<Error> RedisHandshake::CheckInfo(RedisValue reply) {
  if (const auto info = reply.text()) {
    settings_.ReadInfo(*info);
    return {};
  }
  // A server may forbid INFO; its settings are then unknown. Any other error ends the handshake.
  const std::string_view error = reply.error().value_or("");
  if (error.starts_with("NOPERM") || error.starts_with("ERR unknown command")) return {};
  return ExplainRedisError(where_, error);
}

std::optional<Error> RedisHandshake::CheckSettings() const {
  if (settings_.cluster) return Refuse("is a cluster, which is not supported yet");
  if (settings_.replica && settings_.read_only) {
    return Refuse("is a replica and takes no writes; store.url must name the primary");
  }
  return DurabilityRefusal(where_, DurabilityRisks(settings_), require_durable_);
}

std::optional<Error> RedisHandshake::CheckScript(RedisValue reply) {
  if (reply.error()) return ExplainRedisError(where_, *reply.error());
  const auto name = reply.text();
  if (!name || !IsScriptName(*name)) return Refuse("does not load scripts");
  names_[scripts_++] = *name;
  return {};
}

Error RedisHandshake::Refuse(std::string_view why) const {
  return {ErrorCode::kRefused, where_ + " " + std::string(why)};
}

}  // namespace idem::store

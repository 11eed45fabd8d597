// `store` of the configuration (docs/configuration.md), with its defaults. config/ fills it; app/
// builds the store that `type` names.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace idem::store {

enum class StoreType : std::uint8_t { kEmbedded, kMemory, kRedis, kPostgres };

/// What a write of the embedded store outlives: kFsync the machine's power, kOs the process alone.
enum class Durability : std::uint8_t { kFsync, kOs };

struct StoreOptions {
  StoreType type = StoreType::kEmbedded;
  std::string path = "./var/idemproxy";          // embedded: a folder; created
  Durability durability = Durability::kFsync;    // embedded
  std::uint64_t max_size = 16ULL << 30;          // embedded: bytes on disk; beyond it no new claims
  std::uint64_t max_unrecorded = 64ULL << 20;    // bytes of responses held while the store is away
  std::string url = "redis://127.0.0.1:6379/0";  // redis, postgres
  std::string key_prefix = "idemp:";             // redis, postgres: before every record's key
  std::uint32_t wait_replicas = 0;               // redis: WAIT for as many before a claim counts
  bool require_durable = false;                  // redis, postgres: refuse one that may forget
  std::chrono::milliseconds timeout = std::chrono::milliseconds(500);  // one operation
};

}  // namespace idem::store

// The section `store` of the configuration (docs/configuration.md), with its defaults. config/
// fills it, and app/ builds the store that `type` names.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace idem::store {

enum class StoreType : std::uint8_t { kEmbedded, kMemory, kRedis, kPostgres };

struct StoreTraits {
  /// As written in the configuration: "postgres". Empty only for a value that is no enumerator.
  std::string_view name;
  /// Several processes may use it at once, so `key_prefix` separates their records.
  bool is_shared = false;
  /// Keeps its records in the folder `path`.
  bool has_path = false;
  std::chrono::milliseconds default_timeout = std::chrono::milliseconds(500);
};

/// Everything outside of a store's own folder that depends on its type, except for its
/// construction. The switch has no default, so a store type without traits does not compile
/// (-Werror=switch).
[[nodiscard]] constexpr StoreTraits TraitsOf(StoreType type) {
  switch (type) {
    case StoreType::kEmbedded:
      return {.name = "embedded", .has_path = true};
    case StoreType::kMemory:
      return {.name = "memory"};
    case StoreType::kRedis:
      return {.name = "redis", .is_shared = true};
    case StoreType::kPostgres:
      return {.name = "postgres", .is_shared = true};
  }
  return {};
}

/// All store types, in the order of the enumerators.
inline constexpr std::array kStoreTypes = {StoreType::kEmbedded, StoreType::kMemory,
                                           StoreType::kRedis, StoreType::kPostgres};
static_assert(TraitsOf(static_cast<StoreType>(kStoreTypes.size())).name.empty(),
              "kStoreTypes lacks a store type");

/// A write of the embedded store survives a power failure of the machine (kFsync), or only the end
/// of the process (kOs).
enum class Durability : std::uint8_t { kFsync, kOs };

struct StoreOptions {
  StoreType type = StoreType::kEmbedded;
  std::string path = "./var/idemproxy";        // embedded: a folder; created if missing
  Durability durability = Durability::kFsync;  // embedded
  std::uint64_t max_size = 16ULL << 30;        // embedded: bytes on disk; beyond them no new claims
  std::uint64_t max_unrecorded = 64ULL << 20;  // bytes of responses held while it is unreachable
  std::string url = "redis://127.0.0.1:6379/0";  // redis, postgres
  std::string key_prefix = "idemp:";             // redis, postgres: before every record's key
  std::uint32_t wait_replicas = 0;               // redis: replicas that must have a claim (WAIT)
  bool require_durable = false;                  // redis, postgres: refuse a server that may forget
  std::chrono::milliseconds timeout =
      TraitsOf(StoreType::kEmbedded).default_timeout;  // one operation
};

}  // namespace idem::store

// store: where records lie.
#include <algorithm>

#include "proxy/config/sections.h"

namespace idem::config {

namespace {

using store::Durability;
using store::StoreOptions;
using store::StoreType;

constexpr std::string_view kRedisSchemes[] = {"redis://", "rediss://", "unix://",
                                              "redis+sentinel://"};
constexpr std::string_view kPostgresSchemes[] = {"postgres://", "postgresql://"};

bool HasScheme(std::string_view url, std::span<const std::string_view> schemes) {
  return std::any_of(schemes.begin(), schemes.end(), [&](std::string_view scheme) {
    return url.size() > scheme.size() && url.starts_with(scheme);
  });
}

// The rest of the URL is read by the store that connects to it. Nothing of it is shown: it may hold
// a password.
void CheckUrl(MapReader& map, const StoreOptions& options) {
  const bool redis = HasScheme(options.url, kRedisSchemes);
  const bool postgres = HasScheme(options.url, kPostgresSchemes);
  if (options.type == StoreType::kRedis && !redis) {
    map.Complain("url", "must begin with redis://, rediss://, unix:// or redis+sentinel://");
  } else if (options.type == StoreType::kPostgres && !postgres) {
    map.Complain("url", "must begin with postgres://");
  } else if (!redis && !postgres) {
    map.Complain("url", "must begin with redis:// or postgres://, or another scheme of theirs");
  }
}

}  // namespace

void ReadStore(MapReader& root, Draft& draft) {
  StoreOptions& options = draft.config.store;
  exchange::Options& exchange = draft.config.exchange;
  if (const Node* node = root.Find("store")) {
    constexpr Choice<StoreType> kTypes[] = {{"embedded", StoreType::kEmbedded},
                                            {"memory", StoreType::kMemory},
                                            {"redis", StoreType::kRedis},
                                            {"postgres", StoreType::kPostgres}};
    constexpr Choice<Durability> kDurabilities[] = {{"fsync", Durability::kFsync},
                                                    {"os", Durability::kOs}};
    constexpr std::size_t kPrefixMax = 64;
    MapReader map(*node, draft.mistakes);
    map.ReadChoice("type", options.type, kTypes);
    if (map.ReadText("path", options.path) && options.path.empty()) {
      map.Complain("path", "must not be empty");
    }
    map.ReadChoice("durability", options.durability, kDurabilities);
    map.ReadSize("max_size", options.max_size, {16ULL << 20, 1ULL << 44});
    map.ReadSize("max_unrecorded", options.max_unrecorded, {0, 1ULL << 40});
    map.ReadText("url", options.url);
    CheckUrl(map, options);
    if (map.ReadText("key_prefix", options.key_prefix) && !options.key_prefix.empty() &&
        !IsVisible(options.key_prefix, kPrefixMax)) {
      map.Complain("key_prefix", "must be at most 64 characters from ! to ~");
    }
    map.ReadNumber("wait_replicas", options.wait_replicas, {0, 100});
    map.ReadFlag("require_durable", options.require_durable);
    map.ReadTime("timeout", options.timeout, {milliseconds(1), std::chrono::minutes(5)});
    map.RefuseUnknownKeys();
  }
  exchange.store_timeout = options.timeout;
  exchange.max_unrecorded_bytes = options.max_unrecorded;
}

}  // namespace idem::config

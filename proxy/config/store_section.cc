// store: where records lie.
#include "proxy/config/sections.h"
#include "proxy/libpq/url.h"
#include "proxy/store/redis/redis_address.h"

namespace idem::config {

namespace {

using store::Durability;
using store::StoreOptions;
using store::StoreType;

// Nothing of a URL is shown, because it may hold a password. That of a store which is not chosen is
// not looked at.
void CheckUrl(MapReader& map, const StoreOptions& options) {
  if (options.type == StoreType::kRedis && !store::ParseRedisUrl(options.url)) {
    map.AddError("url",
                 "must be of the form redis://[user:password@]host:port/db, "
                 "redis+sentinel://[user:password@]host:port,host:port/master/db or "
                 "unix://[:password@]/path, with % in a password as %25 and / as %2F");
  } else if (options.type == StoreType::kPostgres && !libpq::Url::Parse(options.url)) {
    map.AddError("url",
                 "must be of the form postgres://user:password@host:port/database, with % in a "
                 "password as %25 and / as %2F; one host, and words that libpq knows after a ?");
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
      map.AddError("path", "must not be empty");
    }
    map.ReadChoice("durability", options.durability, kDurabilities);
    map.ReadSize("max_size", options.max_size, {16ULL << 20, 1ULL << 44});
    map.ReadSize("max_unrecorded", options.max_unrecorded, {0, 1ULL << 40});
    map.ReadText("url", options.url);
    CheckUrl(map, options);
    if (map.ReadText("key_prefix", options.key_prefix) && !options.key_prefix.empty() &&
        !IsVisible(options.key_prefix, kPrefixMax)) {
      map.AddError("key_prefix", "must be at most 64 characters from ! to ~");
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

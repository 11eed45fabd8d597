// Reads `store`: where records are kept.
#include <array>

#include "proxy/config/sections.h"
#include "proxy/libpq/url.h"
#include "proxy/store/redis/redis_address.h"

namespace idem::config {

namespace {

using store::Durability;
using store::StoreOptions;
using store::StoreType;

// Returns what is wrong with `url`, or "". The text shows nothing of the URL, which may hold a
// password. The URL is checked only if the chosen store uses it.
std::string_view UrlFault(const StoreOptions& options) {
  switch (options.type) {
    case StoreType::kEmbedded:
    case StoreType::kMemory:
      break;
    case StoreType::kRedis:
      if (store::ParseRedisUrl(options.url)) break;
      return "must be of the form redis://[user:password@]host:port/db, "
             "redis+sentinel://[user:password@]host:port,host:port/master/db or "
             "unix://[:password@]/path, with % in a password as %25 and / as %2F";
    case StoreType::kPostgres:
      if (libpq::Url::Parse(options.url)) break;
      return "must be of the form postgres://user:password@host:port/database, with % in a "
             "password as %25 and / as %2F; one host, and after a ? only parameters of libpq";
  }
  return "";
}

constexpr auto TypeChoices() {
  std::array<Choice<StoreType>, store::kStoreTypes.size()> choices{};
  for (std::size_t i = 0; i < choices.size(); ++i) {
    choices[i] = {store::TraitsOf(store::kStoreTypes[i]).name, store::kStoreTypes[i]};
  }
  return choices;
}

}  // namespace

void ReadStore(MapReader& root, Draft& draft) {
  StoreOptions& options = draft.config.store;
  exchange::Options& exchange = draft.config.exchange;
  if (const Node* node = root.Find("store")) {
    constexpr Choice<Durability> kDurabilities[] = {{"fsync", Durability::kFsync},
                                                    {"os", Durability::kOs}};
    constexpr std::size_t kPrefixMax = 64;
    MapReader map(*node, draft.mistakes);
    map.ReadChoice("type", options.type, TypeChoices());
    options.timeout = store::TraitsOf(options.type).default_timeout;
    if (map.ReadText("path", options.path) && options.path.empty()) {
      map.AddError("path", "must not be empty");
    }
    map.ReadChoice("durability", options.durability, kDurabilities);
    map.ReadSize("max_size", options.max_size, {16ULL << 20, 1ULL << 44});
    map.ReadSize("max_unrecorded", options.max_unrecorded, {0, 1ULL << 40});
    map.ReadText("url", options.url);
    if (const auto fault = UrlFault(options); !fault.empty()) {
      map.AddError("url", std::string(fault));
    }
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

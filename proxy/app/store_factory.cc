#include "proxy/app/store_factory.h"

#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"
#include "proxy/store/postgres/postgres_store.h"
#include "proxy/store/redis/redis_store.h"

namespace idem::app {

namespace {

template <class Client>
StoreClient Own(std::unique_ptr<Client> client) {
  auto* const faces = client.get();
  return {std::move(client), faces, faces, faces};
}

template <class Store>
Status WaitUntilTried(event::EventLoop& loop, Store& store) {
  Status tried = Ok();
  const Ticket ticket = store.WhenTried([&](Status status) {
    tried = std::move(status);
    loop.Stop();
  });
  loop.Run();
  if (tried || tried.error().code == ErrorCode::kRefused) return tried;
  log::Write(log::Level::kWarn, "store_away",
             {{"reason", tried.error().detail},
              {"next", "retrying until it answers; requests with a key get 503 until then"}});
  return Ok();
}

/// Opens a store that several processes share.
template <class Store>
Result<StoreClient> OpenShared(SharedState& shared, event::EventLoop& loop, Random& random,
                               const store::StoreOptions& options, bool is_reporter) {
  auto opened = Store::Open(loop, shared.resolver, random, options, is_reporter);
  if (!opened) return std::move(opened).error();
  Store& store = **opened;
  StoreClient client = Own(std::move(*opened));
  if (!is_reporter) return client;
  if (Status tried = WaitUntilTried(loop, store); !tried) return std::move(tried).error();
  return client;
}

}  // namespace

Result<StoreClient> OpenStore(SharedState& shared, event::EventLoop& loop, Random& random,
                              const store::StoreOptions& options, bool is_reporter) {
  switch (options.type) {
    case store::StoreType::kMemory:
      return Own(std::make_unique<store::MemoryStoreClient>(*shared.memory, loop));
    case store::StoreType::kEmbedded:
      return Own(std::make_unique<store::EmbeddedStoreClient>(*shared.embedded, loop));
    case store::StoreType::kRedis:
      return OpenShared<store::RedisStore>(shared, loop, random, options, is_reporter);
    case store::StoreType::kPostgres:
      return OpenShared<store::PostgresStore>(shared, loop, random, options, is_reporter);
  }
  INVARIANT(false);
}

}  // namespace idem::app

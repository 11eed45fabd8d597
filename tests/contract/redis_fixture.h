// The Redis store under the contract: the server of scripts/with_servers. Each fixture has its own
// prefix, so that many share the server.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "proxy/event/resolver.h"
#include "proxy/store/redis/redis_store.h"
#include "tests/contract/store_fixtures.h"
#include "tests/support/process.h"

namespace idem::contract {

class RedisFixture {
 public:
  RedisFixture() {
    options_.url = "redis://127.0.0.1:" + support::ServerVariable("IDEM_TEST_REDIS_PORT");
    std::random_device random;
    options_.key_prefix = "contract-" + std::to_string(random()) + std::to_string(random()) + ":";
    options_.timeout = support::kPatience;
  }
  /// Uses the test's own server.
  explicit RedisFixture(store::StoreOptions options) : options_(std::move(options)) {}

  std::unique_ptr<StoreClient> Connect(event::EventLoop& loop) {
    return std::make_unique<ServerClient<store::RedisStore>>(loop, resolver_, options_, false);
  }
  // A test cannot move Redis's clock.
  void Pass(std::chrono::milliseconds by) { std::this_thread::sleep_for(by); }

 private:
  store::StoreOptions options_;
  event::Resolver resolver_;
};

}  // namespace idem::contract

// The PostgreSQL store under the contract: the server of scripts/with_servers and one database for
// all fixtures. Each fixture has its own prefix.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "proxy/event/resolver.h"
#include "proxy/store/postgres/postgres_store.h"
#include "tests/contract/store_fixtures.h"
#include "tests/support/postgres_server.h"
#include "tests/support/process.h"

namespace idem::contract {

class PostgresFixture {
 public:
  PostgresFixture() {
    static support::TestDatabase database;
    static std::atomic<int> count = 0;
    options_.url = database.url();
    options_.key_prefix = "contract-" + std::to_string(++count) + ":";
    options_.timeout = support::kPatience;
  }
  /// Uses the test's own database.
  explicit PostgresFixture(store::StoreOptions options, bool is_reporter = false)
      : options_(std::move(options)), is_reporter_(is_reporter) {}

  std::unique_ptr<StoreClient> Connect(event::EventLoop& loop) {
    return std::make_unique<ServerClient<store::PostgresStore>>(loop, resolver_, options_,
                                                                is_reporter_);
  }
  // A test cannot move the database's clock.
  void Pass(std::chrono::milliseconds by) { std::this_thread::sleep_for(by); }

 private:
  store::StoreOptions options_;
  bool is_reporter_ = false;
  event::Resolver resolver_;
};

}  // namespace idem::contract

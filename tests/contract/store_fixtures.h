// The stores under the contract. A fixture is a class with
//
//   std::unique_ptr<StoreClient> Connect(event::EventLoop& loop);   // any thread, one loop each
//   void Pass(std::chrono::milliseconds);                           // at least so much store time
//                                                                   // goes by
//
// that makes a new, empty store of its own. The store outlives its clients. To test another store,
// write its fixture and add it to CONTRACT_STORES.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <utility>

#include "proxy/base/random.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/resolver.h"
#include "proxy/ports/note_store.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"
#include "proxy/store/memory/memory_store.h"
#include "proxy/store/store_options.h"

namespace idem::contract {

/// One loop's client of the store, with all of the store's interfaces. It dies before its loop.
class StoreClient {
 public:
  virtual ~StoreClient() = default;
  virtual ports::RecordStore& records() = 0;
  virtual ports::RateLimiter& limiter() = 0;
  virtual ports::RecordIndex& index() = 0;
  virtual ports::NoteStore& notes() = 0;
};

/// For a client that implements all interfaces itself.
template <class Client>
class StoreClientOf final : public StoreClient {
 public:
  template <class... Arguments>
  explicit StoreClientOf(Arguments&&... arguments)
      : client_(std::forward<Arguments>(arguments)...) {}
  ports::RecordStore& records() override { return client_; }
  ports::RateLimiter& limiter() override { return client_; }
  ports::RecordIndex& index() override { return client_; }
  ports::NoteStore& notes() override { return client_; }

 private:
  Client client_;
};

/// The client of a store on a server.
template <class Store>
class ServerClient final : public StoreClient {
 public:
  ServerClient(event::EventLoop& loop, event::Resolver& resolver,
               const store::StoreOptions& options, bool is_reporter) {
    auto store = Store::Open(loop, resolver, random_, options, is_reporter);
    REQUIRE(store.has_value());
    store_ = std::move(*store);
  }
  ports::RecordStore& records() override { return *store_; }
  ports::RateLimiter& limiter() override { return *store_; }
  ports::RecordIndex& index() override { return *store_; }
  ports::NoteStore& notes() override { return *store_; }

 private:
  SystemRandom random_;  // of its thread, as each worker has its own
  std::unique_ptr<Store> store_;
};

/// A clock that the test moves.
class ManualClock {
 public:
  explicit ManualClock(StoreTime start) : now_(start.time_since_epoch().count()) {}
  [[nodiscard]] StoreTime Now() const { return StoreTime(std::chrono::milliseconds(now_.load())); }
  void Pass(std::chrono::milliseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_;
};

class MemoryFixture {
 public:
  std::unique_ptr<StoreClient> Connect(event::EventLoop& loop) {
    return std::make_unique<StoreClientOf<store::MemoryStoreClient>>(store_, loop);
  }
  void Pass(std::chrono::milliseconds by) { clock_.Pass(by); }

 private:
  ManualClock clock_{StoreTime(std::chrono::hours(24 * 365))};
  store::MemoryStore store_{[this] { return clock_.Now(); }};
};

}  // namespace idem::contract

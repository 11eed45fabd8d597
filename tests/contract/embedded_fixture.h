// The embedded store in its own folder, on a clock that the test moves.
#pragma once

#include <doctest/doctest.h>

#include <memory>

#include "proxy/store/embedded/embedded_store.h"
#include "tests/contract/store_fixtures.h"
#include "tests/support/temp_folder.h"

namespace idem::contract {

class EmbeddedFixture {
 public:
  EmbeddedFixture() { Open(); }

  std::unique_ptr<StoreClient> Connect(event::EventLoop& loop) {
    return std::make_unique<StoreClientOf<store::EmbeddedStoreClient>>(*store_, loop);
  }
  void Pass(std::chrono::milliseconds by) {
    boot_ += by.count();
    calendar_.Pass(by);
  }

  /// Simulates the end of the process and starts the next. Clients must be gone before.
  void Reopen() {
    Close();
    Open();
  }
  void Close() { store_.reset(); }
  void Open() {
    auto opened = store::EmbeddedStore::Open(options_, World());
    if (!opened) FAIL(opened.error().detail);
    store_ = std::move(*opened);
  }

  /// Returns the options for the next Open().
  store::StoreOptions& options() { return options_; }
  ManualClock& calendar() { return calendar_; }
  std::shared_ptr<rocksdb::Env>& env() { return env_; }
  store::EmbeddedFolder::FreeBytes& free_bytes() { return free_bytes_; }
  [[nodiscard]] const std::string& path() const { return folder_.path(); }

 private:
  store::EmbeddedEnvironment World() {
    store::EmbeddedEnvironment world;
    world.calendar = [this] { return calendar_.Now(); };
    world.boot = [this] { return BootTime(std::chrono::milliseconds(boot_.load())); };
    world.env = env_.get();
    if (free_bytes_) world.free_bytes = free_bytes_;
    return world;
  }

  support::TempFolder folder_;
  ManualClock calendar_{StoreTime(std::chrono::hours(24 * 365 * 50))};
  std::atomic<std::int64_t> boot_ = 1000;
  std::shared_ptr<rocksdb::Env> env_;
  store::EmbeddedFolder::FreeBytes free_bytes_;
  store::StoreOptions options_ = [this] {
    store::StoreOptions options;
    options.path = folder_.path();
    return options;
  }();
  std::unique_ptr<store::EmbeddedStore> store_;
};

}  // namespace idem::contract

// The memory store: a map behind a lock per shard. It forgets everything with the process; for
// tests, and for the simulation, which hands in its own clock.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "proxy/store/local/expiring_map.h"
#include "proxy/store/local/local_store_client.h"
#include "proxy/store/local/store_clock.h"

namespace idem::store {

/// Shared by the workers of a process; outlives its clients. Expired records are dropped a few at
/// each step of their shard, so that no step is long.
class MemoryStore {
 public:
  using Clock = std::function<StoreTime()>;  // any thread

  explicit MemoryStore(Clock clock = StoreClock()) : clock_(std::move(clock)) {}

  /// How many records it holds, with those that expired and were not dropped yet.
  [[nodiscard]] std::size_t size() const;

 private:
  friend class MemoryStoreClient;
  static constexpr std::size_t kShards = 64;
  struct Shard {
    mutable std::mutex mutex;
    ExpiringTextMap<idempotency::Record> records;
  };

  /// Runs `step` on what lies under the key, as one step: (StoredRecord, StoreTime) -> Step<Answer>.
  template <class StepFunction>
  auto Apply(std::string_view record_key, StepFunction&& step);

  /// One shard of the walk, by its number.
  [[nodiscard]] ports::RecordPage List(const ports::RecordFilter& filter, std::size_t shard);

  Clock clock_;
  LocalState state_;
  std::array<Shard, kShards> shards_;
  std::mutex notes_mutex_;
  std::map<std::string, std::string, std::less<>> notes_;
};

/// The store as one loop sees it.
class MemoryStoreClient final : public LocalClient {
 public:
  MemoryStoreClient(MemoryStore& store, Loop& loop)
      : LocalClient(store.state_, loop), store_(store) {}

  [[nodiscard]] Ticket List(const ports::RecordFilter& filter, std::string_view cursor,
                            OnListed on_answer) override;
  [[nodiscard]] Ticket ReadNote(std::string_view name, OnNote on_answer) override;
  [[nodiscard]] Ticket WriteNote(std::string_view name, const std::optional<std::string>& replaces,
                                 std::string_view value, OnNote on_answer) override;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override {
    return std::nullopt;
  }

 private:
  void DoBegin(ports::BeginRequest question, std::optional<ports::LimitResult> verdict,
               BeginCompletion completion) override;
  void DoSettle(std::string record_key, SettleFunction step, SettleCompletion completion) override;
  void DoLookUp(std::string record_key, LookUpFunction step, LookUpCompletion completion) override;
  [[nodiscard]] StoreTime Now() const override { return store_.clock_(); }

  MemoryStore& store_;
};

}  // namespace idem::store

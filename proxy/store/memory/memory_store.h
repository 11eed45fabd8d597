// The memory store: a map behind a lock per shard. It forgets everything when the process ends. It
// serves tests and the simulation, which passes its own clock.
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

/// Shared by the workers of a process; outlives its clients. Any thread. Each step drops a few
/// expired records of its shard, so that no step is long.
class MemoryStore {
 public:
  using Clock = std::function<StoreTime()>;  // any thread
  static constexpr std::size_t kShards = 64;

  explicit MemoryStore(Clock clock = StoreClock()) : clock_(std::move(clock)) {}

  /// Runs `step`, a function (StoredRecord, StoreTime) -> Step<Answer>, on the record under the
  /// key, and returns its answer.
  template <class StepFunction>
  auto Run(std::string_view record_key, StepFunction&& step);
  /// Returns the records of one shard; the page's cursor is the number of the next shard.
  [[nodiscard]] ports::RecordPage List(const ports::RecordFilter& filter, std::size_t shard);

  [[nodiscard]] ports::NoteResult ReadNote(std::string_view name);
  [[nodiscard]] ports::NoteResult WriteNote(std::string_view name,
                                            const std::optional<std::string>& replaces,
                                            std::string_view value);

  /// The number of records, including expired ones that were not dropped yet.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] StoreTime Now() const { return clock_(); }
  [[nodiscard]] LocalState& state() { return state_; }

 private:
  struct Shard {
    mutable std::mutex mutex;
    ExpiringTextMap<idempotency::Record> records;
  };

  Clock clock_;
  LocalState state_;
  std::array<Shard, kShards> shards_;
  std::mutex notes_mutex_;
  std::map<std::string, std::string, std::less<>> notes_;
};

/// The store as one loop uses it.
class MemoryStoreClient final : public LocalClient {
 public:
  MemoryStoreClient(MemoryStore& store, Loop& loop)
      : LocalClient(store.state(), loop), store_(store) {}

  using LocalClient::Read;
  [[nodiscard]] Ticket List(const ports::RecordFilter& filter, std::string_view cursor,
                            OnListed on_listed) override;
  [[nodiscard]] Ticket Read(std::string_view name, OnNote on_note) override;
  [[nodiscard]] Ticket Write(std::string_view name, const std::optional<std::string>& replaces,
                             std::string_view value, OnNote on_note) override;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override {
    return std::nullopt;
  }

 private:
  void RunBegin(ports::BeginRequest request, std::optional<ports::LimitResult> verdict,
                BeginCompletion completion) override;
  void Run(ApplyTask task) override { RunTask(std::move(task)); }
  void Run(LookUpTask task) override { RunTask(std::move(task)); }
  void Run(ReadTask task) override { RunTask(std::move(task)); }
  template <class Value>
  void RunTask(Task<Value> task);
  [[nodiscard]] StoreTime Now() const override { return store_.Now(); }

  MemoryStore& store_;
};

}  // namespace idem::store

// The embedded store: records in RocksDB, in a folder that one process at a time owns. It survives
// the process and, with durability `fsync`, the machine's power. Rate limits and the marks of
// withdrawn begins live in memory.
//
//   begin, new key    the writer's next commit
//   begin, completed  read on the asker's own thread, when that needs no disk; else by the writer
//   all else          the writer's next commit
//   lists, notes      a thread of their own
//
// A start finds what was executing as unknown: its process is dead. A value carries the number of
// the process that wrote it (its incarnation), so nothing has to be looked for.
//
// When the disk is full or `max_size` is reached, new claims are answered with kRefused and all
// else goes on, on a reserve that is given up for it; replays go on in any case. Claims are taken
// again once there is room.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proxy/store/embedded/background_tasks.h"
#include "proxy/store/embedded/data_folder.h"
#include "proxy/store/embedded/database.h"
#include "proxy/store/embedded/embedded_clock.h"
#include "proxy/store/embedded/note_files.h"
#include "proxy/store/embedded/writer.h"
#include "proxy/store/local/local_store_client.h"
#include "proxy/store/store_options.h"

namespace idem::store {

/// What the store takes from outside; the defaults are the real world.
struct EmbeddedEnvironment {
  EmbeddedClock::Calendar calendar = StoreClock::Wall;
  StoreClock::Boot boot = BootClock::now;
  rocksdb::Env* env = nullptr;  // null: the system's
  EmbeddedFolder::FreeBytes free_bytes = EmbeddedFolder::FreeBytesOf;
  std::function<bool()> keep_waiting = [] { return true; };  // for a folder that another owns
};

/// Shared by the workers of a process; outlives its clients.
class EmbeddedStore {
 public:
  /// Waits for a folder that another process owns. kRefused, kCorrupt: the detail says what to do.
  static Result<std::unique_ptr<EmbeddedStore>> Open(const StoreOptions& options,
                                                     const EmbeddedEnvironment& world = {});

 private:
  friend class EmbeddedStoreClient;
  EmbeddedStore() = default;

  LocalState state_;
  std::unique_ptr<EmbeddedFolder> folder_;
  std::unique_ptr<EmbeddedClock> clock_;
  std::unique_ptr<EmbeddedDisk> disk_;
  std::unique_ptr<EmbeddedWriter> writer_;
  std::unique_ptr<EmbeddedNotes> notes_;  // the errands' thread alone
  BackgroundTasks errands_;
};

/// The store as one loop sees it. Its end waits for the writer to answer what is on its way, so
/// that its loop may end after it.
class EmbeddedStoreClient final : public LocalClient {
 public:
  EmbeddedStoreClient(EmbeddedStore& store, Loop& loop);
  ~EmbeddedStoreClient() override;

  using LocalClient::Read;
  [[nodiscard]] Ticket List(const ports::RecordFilter& filter, std::string_view cursor,
                            OnListed on_listed) override;
  [[nodiscard]] Ticket Read(std::string_view name, OnNote on_note) override;
  [[nodiscard]] Ticket Write(std::string_view name, const std::optional<std::string>& replaces,
                             std::string_view value, OnNote on_note) override;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override {
    return store_.writer_->unavailable_reason();
  }

 private:
  void RunBegin(ports::BeginRequest request, std::optional<ports::LimitResult> verdict,
                BeginCompletion completion) override;
  void Run(ApplyTask task) override { RunTask(std::move(task)); }
  void Run(LookUpTask task) override { RunTask(std::move(task)); }
  void Run(ReadTask task) override { RunTask(std::move(task)); }
  template <class Value>
  void RunTask(Task<Value> task);
  [[nodiscard]] StoreTime Now() const override { return store_.clock_->Now(); }
  StoredRecord ReadCompleted(std::string_view record_key) const;
  /// Answers with what `errand` gives, run where the disk may be waited for.
  template <class Value>
  Ticket Send(Function<void(Result<Value>)> on_answer, Function<Result<Value>()> errand);

  EmbeddedStore& store_;
  EmbeddedAsker asker_;
  BackgroundTasks::Asker errands_;
};

}  // namespace idem::store

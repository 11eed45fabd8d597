// The embedded store: records in RocksDB, in a folder that one process at a time owns. It survives
// the process and, with durability `fsync`, a power failure of the machine. Rate limits and the
// marks of withdrawn begins are kept in memory.
//
//   begin, new key    the writer's next commit
//   begin, completed  read on the caller's thread if that needs no disk, otherwise by the writer
//   other steps       the writer's next commit
//   lists, notes      a separate thread
//
// After a start every record that was executing is unknown, because its process is dead. A value
// has the number of the process that wrote it (its incarnation), so that a start searches nothing.
//
// When the disk is full or `max_size` is reached, new claims are answered with kRefused. Everything
// else continues, on a reserve that is given up for it; replays continue in any case. Claims are
// taken again once there is room.
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

/// The surroundings of the store; the defaults are the real ones.
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

  [[nodiscard]] LocalState& state() { return state_; }
  [[nodiscard]] const EmbeddedClock& clock() const { return *clock_; }
  [[nodiscard]] const EmbeddedDisk& disk() const { return *disk_; }
  [[nodiscard]] EmbeddedWriter& writer() { return *writer_; }
  /// Only tasks use them.
  [[nodiscard]] EmbeddedNotes& notes() { return *notes_; }
  [[nodiscard]] BackgroundTasks& tasks() { return tasks_; }

 private:
  EmbeddedStore() = default;

  LocalState state_;
  std::unique_ptr<EmbeddedFolder> folder_;
  std::unique_ptr<EmbeddedClock> clock_;
  std::unique_ptr<EmbeddedDisk> disk_;
  std::unique_ptr<EmbeddedWriter> writer_;
  std::unique_ptr<EmbeddedNotes> notes_;
  BackgroundTasks tasks_;
};

/// The store as one loop uses it. Its destructor waits until all its requests are answered, so that
/// its loop may end afterwards.
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
    return store_.writer().unavailable_reason();
  }

 private:
  void RunBegin(ports::BeginRequest request, std::optional<ports::LimitResult> verdict,
                BeginCompletion completion) override;
  void Run(ApplyTask task) override { RunTask(std::move(task)); }
  void Run(LookUpTask task) override { RunTask(std::move(task)); }
  void Run(ReadTask task) override { RunTask(std::move(task)); }
  template <class Value>
  void RunTask(Task<Value> task);
  [[nodiscard]] StoreTime Now() const override { return store_.clock().Now(); }
  StoredRecord ReadCompleted(std::string_view record_key) const;
  /// Runs `task` on the background thread, which may wait for the disk, and answers its result.
  template <class Value>
  Ticket Send(Function<void(Result<Value>)> on_answer, Function<Result<Value>()> task);

  EmbeddedStore& store_;
  EmbeddedAsker asker_;
  BackgroundTasks::Asker tasks_;
};

}  // namespace idem::store

// The one thread that writes the embedded store. What all workers ask for while it is at one commit
// becomes the next: one WriteBatch, one append to the log, one fdatasync, and one post of all
// answers to each loop.
//
//   workers ──Ask()──▶ queue ─▶ step, step, step ─▶ commit ─▶ answers ──Post()──▶ loops
//                                 │ reads: claims in memory, then the disk
//
// An answer that rests on something written in this batch waits for the commit, and becomes an
// error if it fails; all others are given at once.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/store/embedded/data_folder.h"
#include "proxy/store/embedded/database.h"
#include "proxy/store/embedded/embedded_clock.h"
#include "proxy/store/local/expiring_map.h"
#include "proxy/store/record_steps.h"

namespace idem::store {

/// Who asks: one loop. Its members belong to the writer's lock.
struct EmbeddedAsker {
  Loop* loop = nullptr;
  std::size_t unanswered = 0;
};

/// One question on its way through the writer.
class EmbeddedJob {
 public:
  EmbeddedJob(EmbeddedAsker& asker, std::string key) : asker_(asker), key_(std::move(key)) {}
  virtual ~EmbeddedJob() = default;

  struct Effect {
    RecordWrite change = RecordWrite::kNone;
    StoredRecord record;
  };
  /// Runs the step. With `refusal`, a step that would write a new claim changes nothing and fails
  /// with it.
  virtual Effect Run(StoredRecord present, StoreTime now, const std::optional<Error>& refusal) = 0;
  virtual void Fail(const Error& error) = 0;
  /// On the asker's loop.
  virtual void Deliver() = 0;

  [[nodiscard]] EmbeddedAsker& asker() const { return asker_; }
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  EmbeddedAsker& asker_;
  std::string key_;
};

class EmbeddedWriter {
 public:
  /// `incarnation` tells this process's claims from those of dead ones.
  EmbeddedWriter(EmbeddedDisk& disk, EmbeddedFolder& folder, const EmbeddedClock& clock,
                 std::uint64_t incarnation, std::uint64_t max_size);
  /// Answers what was asked, leaves a stamp of the clock, and joins.
  ~EmbeddedWriter();

  /// Any thread.
  void Ask(std::unique_ptr<EmbeddedJob> job);
  /// Waits until nothing of `asker` is on its way: afterwards its loop may end.
  void Leave(EmbeddedAsker& asker);
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const;

  struct Reading {
    bool is_known = false;  // false: not without waiting for the disk
    StoredRecord record;    // null where there is none, or it has expired
    // Of one that expired before anybody knew its outcome.
    std::optional<idempotency::Claim> forgotten{};
  };
  /// What lies under a key, on disk. Any thread.
  [[nodiscard]] Result<Reading> Read(std::string_view key, EmbeddedDisk::From from) const;
  /// What bytes on the disk say. Any thread.
  [[nodiscard]] Result<Reading> Interpret(std::string_view bytes) const;

  static constexpr std::string_view kStampNote{"\0stamp", 6};

 private:
  using Jobs = std::vector<std::unique_ptr<EmbeddedJob>>;
  /// A claim of this process that executes, so that its end need not be read; during a batch also
  /// what the batch has written.
  struct CachedClaim {
    StoredRecord record;
    bool is_of_batch = false;
  };

  void Run();
  bool Take(Jobs& jobs);
  std::size_t RunBatch(Jobs& jobs, std::size_t first);
  bool RunStep(EmbeddedJob& job, StoreTime now);
  void Write(const std::string& key, EmbeddedJob::Effect effect);
  void CloseBatch(bool is_committed);
  void Deliver(Jobs jobs);

  std::optional<Error> Commit(StoreTime now);
  bool CommitOnceMore(const Error& first);
  void Stamp(StoreTime now);

  void LookAfterDisk();
  [[nodiscard]] std::optional<Error> RefusalNow();
  void Report();

  EmbeddedDisk& disk_;
  EmbeddedFolder& folder_;
  const EmbeddedClock& clock_;
  const std::uint64_t incarnation_;
  const std::uint64_t max_size_;

  mutable std::mutex mutex_;
  std::condition_variable asked_;
  std::condition_variable answered_;
  Jobs queue_;                          // under mutex_
  std::optional<std::string> trouble_;  // under mutex_: why no new claim is taken
  bool is_asleep_ = false;              // under mutex_
  bool is_ending_ = false;              // under mutex_

  // The writer's thread alone:
  ExpiringTextMap<CachedClaim> held_;
  std::vector<std::string> written_;  // keys of this batch
  std::optional<Error> refusal_;      // why no new claim is taken
  std::optional<Error> failure_;      // why the last commit failed
  BootTime next_look_{};              // at room and size
  BootTime next_revival_{};
  BootTime next_compaction_{};
  StoreTime stamped_at_{};
  std::thread thread_;
};

}  // namespace idem::store

// The thread that writes the embedded store. The jobs that arrive during one commit become the next
// batch: one WriteBatch, one append to the log, one fdatasync, and one post of all answers to each
// loop.
//
//   workers ──Ask()──▶ queue ─▶ step, step, step ─▶ commit ─▶ answers ──Post()──▶ loops
//                                 │ reads: claims in memory, then the disk
//
// An answer that depends on a write of this batch waits for the commit, and becomes an error if the
// commit fails. All other answers are sent at once.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/store/embedded/cached_claims.h"
#include "proxy/store/embedded/data_folder.h"
#include "proxy/store/embedded/database.h"
#include "proxy/store/embedded/disk_health.h"
#include "proxy/store/embedded/embedded_clock.h"
#include "proxy/store/embedded/job.h"
#include "proxy/store/record_steps.h"

namespace idem::store {

class EmbeddedWriter {
 public:
  /// `incarnation` distinguishes the claims of this process from those of dead processes.
  EmbeddedWriter(EmbeddedDisk& disk, EmbeddedFolder& folder, const EmbeddedClock& clock,
                 std::uint64_t incarnation, std::uint64_t max_size);
  /// Answers all jobs, writes a stamp of the clock, and joins the thread.
  ~EmbeddedWriter();

  /// Any thread.
  void Ask(std::unique_ptr<EmbeddedJob> job);
  /// Waits until every job of `asker` is answered: its loop may end afterwards.
  void Leave(EmbeddedAsker& asker);
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const { return health_.trouble(); }

  struct Reading {
    bool is_known = false;  // false: the disk would have to be read
    StoredRecord record;    // null: there is none, or it has expired
    // The claim of a record that expired before its outcome became known.
    std::optional<idempotency::Claim> forgotten{};
  };
  /// Reads the record under a key from the disk. Any thread.
  [[nodiscard]] Result<Reading> Read(std::string_view key, EmbeddedDisk::From from) const;
  /// Decodes a record from its bytes on the disk. Any thread.
  [[nodiscard]] Result<Reading> Interpret(std::string_view bytes) const;

  static constexpr std::string_view kStampNote{"\0stamp", 6};

 private:
  using Jobs = std::vector<std::unique_ptr<EmbeddedJob>>;
  void Run();
  bool Take(Jobs& jobs);
  std::size_t RunBatch(Jobs& jobs, std::size_t first);
  bool RunStep(EmbeddedJob& job, StoreTime now);
  void Write(const std::string& key, EmbeddedJob::Effect effect);
  void Deliver(Jobs jobs);

  std::optional<Error> Commit(StoreTime now);
  void Stamp(StoreTime now);
  void Maintain();

  EmbeddedDisk& disk_;
  const EmbeddedClock& clock_;
  const std::uint64_t incarnation_;
  DiskHealth health_;

  mutable std::mutex mutex_;
  std::condition_variable asked_;
  std::condition_variable answered_;
  Jobs queue_;              // under mutex_
  bool is_asleep_ = false;  // under mutex_
  bool is_ending_ = false;  // under mutex_

  // Only the writer's thread uses these:
  CachedClaims claims_;
  StoreTime stamped_at_{};
  std::thread thread_;
};

}  // namespace idem::store

// Whether the embedded store can take new claims: it watches the free space, store.max_size and the
// commits, repairs what it can, and reports every change to the log and to /readyz.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/store/embedded/data_folder.h"
#include "proxy/store/embedded/database.h"

namespace idem::store {

/// Belongs to the writer's thread, except trouble().
class DiskHealth {
 public:
  DiskHealth(EmbeddedDisk& disk, EmbeddedFolder& folder, std::uint64_t max_size)
      : disk_(disk), folder_(folder), max_size_(max_size) {}

  /// The interval of the checks.
  static constexpr std::chrono::seconds kCheckEvery{1};

  /// Returns true once per kCheckEvery: Check() is due.
  [[nodiscard]] bool IsCheckDue();
  /// Compares the free space and the size with their limits.
  void Check();
  /// Commits the batch. After a failure it gives up the reserve if the disk is full, makes the disk
  /// writable again, and commits the same batch once more; a batch that fails again is dropped.
  [[nodiscard]] std::optional<Error> Commit();

  /// Returns the reason why new claims are refused, null if they are taken.
  [[nodiscard]] const std::optional<Error>& refusal() const { return refusal_; }
  /// Returns true after a commit has failed, until one succeeds.
  [[nodiscard]] bool has_failed() const { return failure_.has_value(); }
  /// Returns the reason for /readyz, null if the store is well. Any thread.
  [[nodiscard]] std::optional<std::string> trouble() const;

 private:
  bool CommitOnceMore(const Error& first);
  [[nodiscard]] std::optional<Error> RefusalNow();
  void Report();

  EmbeddedDisk& disk_;
  EmbeddedFolder& folder_;
  const std::uint64_t max_size_;

  std::optional<Error> refusal_;
  std::optional<Error> failure_;  // of the last commit
  BootTime next_check_{};
  BootTime next_revival_{};
  BootTime next_compaction_{};

  mutable std::mutex mutex_;
  std::optional<std::string> trouble_;  // under mutex_
};

}  // namespace idem::store

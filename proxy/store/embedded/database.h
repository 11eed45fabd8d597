// RocksDB as the embedded store uses it: one writer that commits batches, and readers on any
// thread. No other class uses RocksDB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace rocksdb {
class Env;
}

namespace idem::store {

/// A value is
///
///   EXPIRES_AT (8 bytes, milliseconds, little-endian)  BYTES
///
/// so that a compaction that drops expired values reads only eight bytes. Keys whose first byte is
/// 0 are the store's own notes; they have no expiry. (No record key has that byte.)
///
/// A commit is one WriteBatch, one append to the log and, with `sync`, one fdatasync; readers see
/// it only afterwards. A log that ends in the middle (after a power loss) is read up to the first
/// damage. The stricter mode of RocksDB refuses any damage before the end of the log. It would also
/// refuse after an honest power loss, because the pages of the last, unsynced batch reach the disk
/// in any order. The synced writes are before that batch; a log with a damaged synced write is
/// refused (wal_gap.h).
///
/// Memory: up to three memtables of 8 MiB, and a block cache of 32 MiB that also has the indexes
/// and filters. It does not grow with the records: after 200,000 records of 800 bytes a process
/// that does nothing else takes 62 MiB (47 MiB of them without the libraries).
class EmbeddedDisk {
 public:
  struct Options {
    std::string path;
    bool sync = true;
    rocksdb::Env* env = nullptr;  // for tests that make the disk fail; null: the system's
    std::function<bool(StoreTime)> has_expired;  // any thread
  };
  static Result<std::unique_ptr<EmbeddedDisk>> Open(Options options);
  ~EmbeddedDisk();

  enum class From : std::uint8_t { kAnywhere, kMemory };
  enum class Found : std::uint8_t { kYes, kNo, kNotInMemory };
  /// Any thread. `bytes` is the value without its expiry.
  [[nodiscard]] Result<Found> Get(std::string_view key, From from, std::string& bytes) const;

  /// Calls `visit` for the records in the order of their keys, from the first one behind `after`
  /// ("": from the first of all), until it returns false. Skips the store's own notes. Returns true
  /// if the end was reached. Any thread; it waits for the disk.
  using Visit = std::function<bool(std::string_view key, std::string_view bytes)>;
  [[nodiscard]] Result<bool> Walk(std::string_view after, const Visit& visit) const;

  // Only the writer calls these:
  void Put(std::string_view key, StoreTime expires_at, std::string_view bytes);
  void Erase(std::string_view key);
  [[nodiscard]] std::size_t batch_bytes() const;  // 0: nothing to commit
  /// Commits and empties the batch. A batch that fails can be committed again after Revive(), or
  /// dropped.
  Status Commit();
  void DropBatch();

  /// After a failure: makes the disk writable again, in place or by opening it again. Returns an
  /// error if the cause persists.
  Status Revive();
  /// Returns about how much the records take on disk and in memory.
  [[nodiscard]] std::uint64_t size_bytes() const;
  /// Begins to drop all expired values in the background, unless that is under way already.
  void Compact();

 private:
  struct Impl;
  explicit EmbeddedDisk(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace idem::store

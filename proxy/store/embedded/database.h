// RocksDB as the embedded store uses it: one writer that commits batches, readers on any thread.
// The one home of RocksDB.
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

/// A value is drawn from outside to inside:
///
///   EXPIRES_AT (8 bytes, milliseconds, little-endian)  BYTES
///
/// so that expiry by compaction reads eight bytes of it. Keys whose first byte is 0 are the store's
/// own notes; they have no stamp and never expire. (No record key has that byte.)
///
/// A commit is one WriteBatch, one append to the log and, with `sync`, one fdatasync; only then is
/// it visible to readers. Of a log that ends in the middle (power was lost) all is read up to the
/// first damage. The stricter mode, which refuses to open where damage is not at the very end,
/// would also refuse after an honest power loss: the pages of the last, unsynced batch reach the
/// disk in any order. What was synced lies before it; a log in which something synced is damaged is
/// refused (embedded_log.h).
///
/// Memory: up to three memtables of 8 MiB and a block cache of 32 MiB that also holds indexes and
/// filters. It does not grow with the records: a process that does nothing else stands at 62 MiB
/// (47 of them its own, not the libraries') after 200,000 records of 800 bytes.
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
  /// Any thread. `bytes` is what was put, without its stamp.
  [[nodiscard]] Result<Found> Get(std::string_view key, From from, std::string& bytes) const;

  /// Shows `visit` what lies there, in the order of the keys, from the first behind `after` ("":
  /// from the first of all) until it answers false. The store's own notes are not shown. True where
  /// the end was reached. Any thread; it waits for the disk.
  using Visit = std::function<bool(std::string_view key, std::string_view bytes)>;
  [[nodiscard]] Result<bool> Walk(std::string_view after, const Visit& visit) const;

  // The writer alone:
  void Put(std::string_view key, StoreTime expires_at, std::string_view bytes);
  void Erase(std::string_view key);
  [[nodiscard]] std::size_t batch_bytes() const;  // 0: nothing to commit
  /// Empties the batch, unless it fails: then it can be tried again after Revive(), or dropped.
  Status Commit();
  void DropBatch();

  /// After a failure: makes the disk writable again, in place or by opening it anew. An error if
  /// the cause is still there.
  Status Revive();
  /// What the records take on disk and in memory, about.
  [[nodiscard]] std::uint64_t size_bytes() const;
  /// Begins to drop everything that has expired, in the background; nothing if it is already at it.
  void Compact();

 private:
  struct Impl;
  explicit EmbeddedDisk(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace idem::store

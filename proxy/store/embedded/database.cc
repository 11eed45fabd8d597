#include "proxy/store/embedded/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <shared_mutex>
#include <thread>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"
#include "proxy/store/embedded/wal_gap.h"

namespace idem::store {

namespace {

constexpr std::size_t kMiB = 1024 * 1024;
constexpr std::size_t kTrialBytes = 64 * 1024;
constexpr std::size_t kStampBytes = sizeof(std::int64_t);

rocksdb::Slice SliceOf(std::string_view text) { return {text.data(), text.size()}; }

StoreTime StampOf(const char* bytes) {
  std::int64_t milliseconds = 0;
  std::memcpy(&milliseconds, bytes, kStampBytes);
  return StoreTime(std::chrono::milliseconds(milliseconds));
}

Error ErrorOf(const rocksdb::Status& status) {
  if (status.IsNoSpace()) {
    return {ErrorCode::kRefused, "the disk of the embedded store is full: make room on it"};
  }
  const ErrorCode code = status.IsCorruption() ? ErrorCode::kCorrupt : ErrorCode::kUnavailable;
  return {code, "the embedded store's disk: " + status.ToString()};
}

/// Drops expired values when files are merged.
class ExpiryFilter final : public rocksdb::CompactionFilter {
 public:
  explicit ExpiryFilter(std::function<bool(StoreTime)> has_expired)
      : has_expired_(std::move(has_expired)) {}
  [[nodiscard]] const char* Name() const override { return "idemproxy.expiry"; }
  [[nodiscard]] Decision FilterV2(int, const rocksdb::Slice& key, ValueType type,
                                  const rocksdb::Slice& value, std::string*,
                                  std::string*) const override {
    const bool is_note = key.empty() || key[0] == '\0';
    if (is_note || type != ValueType::kValue || value.size() < kStampBytes) return Decision::kKeep;
    return has_expired_(StampOf(value.data())) ? Decision::kRemove : Decision::kKeep;
  }

 private:
  std::function<bool(StoreTime)> has_expired_;
};

/// Logs the errors of RocksDB. All its other messages are dropped, and it writes no log file.
class ErrorsToLog final : public rocksdb::Logger {
 public:
  ErrorsToLog() : Logger(rocksdb::InfoLogLevel::ERROR_LEVEL) {}
  using Logger::Logv;
  void Logv(const char*, va_list) override {}
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level < rocksdb::InfoLogLevel::ERROR_LEVEL || level > rocksdb::InfoLogLevel::FATAL_LEVEL) {
      return;
    }
    char line[512];
    std::vsnprintf(line, sizeof line, format, arguments);
    log::Write(log::Level::kError, "rocksdb", {{"detail", std::string_view(line)}});
  }
};

rocksdb::BlockBasedTableOptions TableOptions() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(32 * kMiB);
  table.block_size = std::size_t{8} * 1024;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Indexes and filters are small pieces within the limit of the cache, not memory of open files.
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.cache_index_and_filter_blocks = true;
  table.pin_top_level_index_and_filter = true;
  return table;
}

rocksdb::Options DatabaseOptions(const EmbeddedDisk::Options& options, const ExpiryFilter& expiry) {
  rocksdb::Options database;
  database.create_if_missing = true;
  if (options.env != nullptr) database.env = options.env;
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  database.compaction_filter = &expiry;
  database.periodic_compaction_seconds = 12 * 3600;  // expired values leave even without writes
  database.compression = rocksdb::kNoCompression;
  database.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions()));

  database.write_buffer_size = 8 * kMiB;
  database.max_write_buffer_number = 3;
  database.memtable_prefix_bloom_size_ratio = 0.02;  // no search for a new key
  database.memtable_whole_key_filtering = true;
  database.target_file_size_base = 16 * kMiB;
  database.max_bytes_for_level_base = 64 * kMiB;
  database.level_compaction_dynamic_level_bytes = true;
  database.bytes_per_sync = kMiB;
  database.max_open_files = 256;
  database.max_file_opening_threads = 1;
  database.max_background_jobs = 2;

  // There is one writer, so no thread shares a memtable and none has to spin.
  database.allow_concurrent_memtable_write = false;
  database.enable_write_thread_adaptive_yield = false;
  database.avoid_flush_during_shutdown = true;  // the log is complete
  database.info_log = std::make_shared<ErrorsToLog>();
  database.info_log_level = rocksdb::InfoLogLevel::ERROR_LEVEL;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

std::string WordsFor(const EmbeddedLogGap& gap) {
  std::string words =
      "the log is damaged before write " + std::to_string(gap.behind) + " in " + gap.file;
  if (gap.missing > 0) words += " (missing writes: " + std::to_string(gap.missing) + ")";
  return words;
}

/// Refuses a log in which a synced write is missing. A power loss may lose unsynced writes in the
/// middle of a log, so with durability `os` a gap is logged and accepted.
Status CheckLog(const EmbeddedDisk::Options& options) {
  auto gap = FindLogGap(options.path);
  if (!gap) return std::move(gap).error();
  if (!*gap) return Ok();
  const std::string words = WordsFor(**gap);
  if (options.sync) {
    return Error{
        ErrorCode::kCorrupt,
        words +
            ": to go on would forget all keys behind that, and execute them again; restore "
            "the folder from a copy, or start once with store.durability: os, which "
            "forgets them"};
  }
  log::Write(log::Level::kError, "store_forgets",
             {{"detail", std::string_view(words)},
              {"effect", "keys behind that are forgotten, and executed again"}});
  return Ok();
}

}  // namespace

struct EmbeddedDisk::Impl {
  explicit Impl(Options of) : options(std::move(of)), expiry(options.has_expired) {}
  ~Impl() { Close(); }

  Status Open() {
    if (Status whole = CheckLog(options); !whole) return whole;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(DatabaseOptions(options, expiry), options.path, &opened);
    if (!status.ok()) return ErrorOf(status);
    database.reset(opened);
    return Ok();
  }
  [[nodiscard]] rocksdb::Status TryToWrite() const {
    const std::string name = options.path + "/trial";
    rocksdb::Env* env = options.env != nullptr ? options.env : rocksdb::Env::Default();
    const auto written = rocksdb::WriteStringToFile(env, std::string(kTrialBytes, '.'), name, true);
    (void)env->DeleteFile(name);
    return written;
  }
  void Close() {
    if (database) database->DisableManualCompaction();  // the compaction ends soon
    if (compaction.joinable()) compaction.join();
    database.reset();
  }

  const Options options;
  const ExpiryFilter expiry;
  mutable std::shared_mutex reopening;  // shared: readers; exclusive: Revive() when it opens again
  std::unique_ptr<rocksdb::DB> database;  // null after a failed attempt to open it again
  rocksdb::WriteBatch batch;
  std::string value;  // a member, so that its memory is used again
  std::thread compaction;
  std::atomic<bool> is_compacting = false;
};

Result<std::unique_ptr<EmbeddedDisk>> EmbeddedDisk::Open(Options options) {
  INVARIANT(options.has_expired != nullptr);
  auto impl = std::make_unique<Impl>(std::move(options));
  if (Status opened = impl->Open(); !opened) {
    Error error = std::move(opened).error();
    error.detail = "cannot open " + impl->options.path + ": " + error.detail;
    return error;
  }
  return std::unique_ptr<EmbeddedDisk>(new EmbeddedDisk(std::move(impl)));
}

EmbeddedDisk::EmbeddedDisk(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EmbeddedDisk::~EmbeddedDisk() = default;

Result<EmbeddedDisk::Found> EmbeddedDisk::Get(std::string_view key, From from,
                                              std::string& bytes) const {
  const std::shared_lock lock(impl_->reopening);
  if (!impl_->database) {
    return Error{ErrorCode::kUnavailable, "the embedded store's disk cannot be opened"};
  }
  rocksdb::ReadOptions how;
  if (from == From::kMemory) how.read_tier = rocksdb::kBlockCacheTier;
  rocksdb::PinnableSlice value;
  const rocksdb::Status status =
      impl_->database->Get(how, impl_->database->DefaultColumnFamily(), SliceOf(key), &value);
  if (status.IsNotFound()) return Found::kNo;
  if (status.IsIncomplete()) return Found::kNotInMemory;
  if (!status.ok()) return ErrorOf(status);
  if (value.size() < kStampBytes) {
    return Error{ErrorCode::kCorrupt, "the embedded store holds a value without its stamp"};
  }
  bytes.assign(value.data() + kStampBytes, value.size() - kStampBytes);
  return Found::kYes;
}

Result<bool> EmbeddedDisk::Walk(std::string_view after, const Visit& visit) const {
  const std::shared_lock lock(impl_->reopening);
  if (!impl_->database) {
    return Error{ErrorCode::kUnavailable, "the embedded store's disk cannot be opened"};
  }
  rocksdb::ReadOptions how;
  how.fill_cache = false;  // the records of a walk are not read again soon
  const std::unique_ptr<rocksdb::Iterator> at(impl_->database->NewIterator(how));
  const std::string_view first_record("\1", 1);
  for (at->Seek(SliceOf(after.empty() ? first_record : after)); at->Valid(); at->Next()) {
    const rocksdb::Slice key = at->key();
    const rocksdb::Slice value = at->value();
    if (SliceOf(after) == key || value.size() < kStampBytes) continue;
    const std::string_view bytes(value.data() + kStampBytes, value.size() - kStampBytes);
    if (!visit({key.data(), key.size()}, bytes)) return false;
  }
  if (!at->status().ok()) return ErrorOf(at->status());
  return true;
}

void EmbeddedDisk::Put(std::string_view key, StoreTime expires_at, std::string_view bytes) {
  const std::int64_t milliseconds = expires_at.time_since_epoch().count();
  char stamp[kStampBytes];
  std::memcpy(stamp, &milliseconds, kStampBytes);
  impl_->value.assign(stamp, kStampBytes).append(bytes);
  const rocksdb::Status status = impl_->batch.Put(SliceOf(key), impl_->value);
  INVARIANT(status.ok());
}

void EmbeddedDisk::Erase(std::string_view key) {
  const rocksdb::Status status = impl_->batch.Delete(SliceOf(key));
  INVARIANT(status.ok());
}

std::size_t EmbeddedDisk::batch_bytes() const {
  return impl_->batch.Count() == 0 ? 0 : impl_->batch.GetDataSize();
}

Status EmbeddedDisk::Commit() {
  if (!impl_->database) {
    return Error{ErrorCode::kUnavailable, "the embedded store's disk cannot be opened"};
  }
  rocksdb::WriteOptions how;
  how.sync = impl_->options.sync;
  if (const auto status = impl_->database->Write(how, &impl_->batch); !status.ok()) {
    return ErrorOf(status);
  }
  DropBatch();
  return Ok();
}

void EmbeddedDisk::DropBatch() { impl_->batch.Clear(); }

Status EmbeddedDisk::Revive() {
  if (impl_->database) {
    const rocksdb::Status resumed = impl_->database->Resume();
    if (resumed.ok()) return Ok();
    // The open database still serves replays, so it is closed only once the disk is writable.
    if (const auto tried = impl_->TryToWrite(); !tried.ok()) return ErrorOf(tried);
  }
  const std::unique_lock lock(impl_->reopening);
  impl_->Close();
  return impl_->Open();
}

std::uint64_t EmbeddedDisk::size_bytes() const {
  std::uint64_t files = 0;
  std::uint64_t memory = 0;
  if (impl_->database) {
    impl_->database->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &files);
    impl_->database->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &memory);
  }
  return files + memory;
}

void EmbeddedDisk::Compact() {
  if (!impl_->database || impl_->is_compacting.exchange(true)) return;
  if (impl_->compaction.joinable()) impl_->compaction.join();
  impl_->compaction = std::thread([impl = impl_.get()] {
    rocksdb::CompactRangeOptions how;
    how.exclusive_manual_compaction = false;
    how.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    (void)impl->database->CompactRange(how, nullptr, nullptr);  // a failed one is tried again later
    impl->is_compacting = false;
  });
}

}  // namespace idem::store

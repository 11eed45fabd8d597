// Simulates a disk that loses power: it keeps only what was synced.
#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace idem::support {

/// Passes every operation to the real file system and records what a power loss would leave.
/// Thread-safe. Its promises are those of POSIX:
///
///   a file's bytes    The bytes before its last sync stay. A prefix of the others stays, in which
///                     any page may have been written as zeros.
///   a folder's names  The names of the folder's last sync stay. A prefix of the names that were
///                     made, renamed and removed since then stays, because file systems keep that
///                     order.
class ForgetfulDisk final : public rocksdb::FileSystemWrapper {
 public:
  /// `honest` is false if a sync keeps nothing. `before_each_step` gets the name of the file before
  /// each change of the disk. No other operation runs then, so it may call LosePower().
  ForgetfulDisk(bool honest, std::function<void(const std::string& name)> before_each_step);
  ~ForgetfulDisk() override;
  [[nodiscard]] const char* Name() const override { return "ForgetfulDisk"; }

  /// Writes the remains of the folder `from` after a power loss into the folder `to`. The disk
  /// itself goes on. Call only from `before_each_step`.
  void LosePower(const std::string& from, const std::string& to, std::mt19937_64& random) const;

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* folder,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

  // No store of ours reopens files. If one begins to, this has to record it.
  rocksdb::IOStatus ReopenWritableFile(const std::string&, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSWritableFile>*,
                                       rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("ForgetfulDisk: ReopenWritableFile");
  }
  rocksdb::IOStatus ReuseWritableFile(const std::string&, const std::string&,
                                      const rocksdb::FileOptions&,
                                      std::unique_ptr<rocksdb::FSWritableFile>*,
                                      rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("ForgetfulDisk: ReuseWritableFile");
  }
  rocksdb::IOStatus NewRandomRWFile(const std::string&, const rocksdb::FileOptions&,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>*,
                                    rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("ForgetfulDisk: NewRandomRWFile");
  }
  rocksdb::IOStatus LinkFile(const std::string&, const std::string&, const rocksdb::IOOptions&,
                             rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("ForgetfulDisk: LinkFile");
  }

 private:
  class File;
  class Folder;
  /// A file under any name, even after its last name was removed.
  struct Bytes {
    std::string link;  // a second name of the file that nobody removes
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
  };
  using BytesPointer = std::shared_ptr<Bytes>;        // shared by every name and the open file
  using Names = std::map<std::string, BytesPointer>;  // the names in one folder
  /// A step that changes names. It removes the name if `bytes` is null.
  struct Rename {
    std::vector<std::pair<std::string, BytesPointer>> changes;
  };
  struct Listing {
    Names now;
    Names synced;
    std::vector<Rename> since;  // changes since the last sync
  };

  void Apply(const std::string& folder, Rename rename);
  static void Change(Names& names, const Rename& rename);
  static void CopyRemains(const Bytes& bytes, const std::string& to, std::mt19937_64& random);

  const bool honest_;
  const std::function<void(const std::string&)> before_each_step_;
  std::string links_;  // a folder of this disk's own
  mutable std::mutex mutex_;
  std::map<std::string, Listing> folders_;
  int files_ = 0;
};

}  // namespace idem::support

// The folder of an embedded store: its owner, and its reserve of disk space.
//
//   PATH/owner     locked by the process that owns the folder
//   PATH/reserve   space that is given up on a full disk, so that running claims can complete
//   PATH/records   the files of RocksDB
//   PATH/notes     see note_files.h
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "proxy/base/result.h"

namespace idem::store {

class EmbeddedFolder {
 public:
  /// Enough for RocksDB to write out its memory twice and begin a new log.
  static constexpr std::uint64_t kReserveBytes = 32ULL << 20;

  /// Returns the free bytes of the disk under a folder.
  using FreeBytes = std::function<std::uint64_t(const std::string& path)>;
  static std::uint64_t FreeBytesOf(const std::string& path);

  /// Creates the folder and waits until no other process owns it, as long as `keep_waiting()`
  /// (called ten times a second) returns true. It logs once that it waits.
  static Result<std::unique_ptr<EmbeddedFolder>> Own(const std::string& path,
                                                     const std::function<bool()>& keep_waiting,
                                                     FreeBytes free_bytes = FreeBytesOf);
  ~EmbeddedFolder();
  EmbeddedFolder(const EmbeddedFolder&) = delete;
  EmbeddedFolder& operator=(const EmbeddedFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string records() const { return path_ + "/records"; }
  [[nodiscard]] std::string notes() const { return path_ + "/notes"; }

  /// Takes the reserve if the disk has room for it and for twice as much beside it. Returns true if
  /// the reserve exists.
  bool MakeReserve();
  /// Returns true if there was a reserve.
  bool GiveUpReserve();

 private:
  EmbeddedFolder(std::string path, int owner, FreeBytes free_bytes)
      : path_(std::move(path)), owner_(owner), free_bytes_(std::move(free_bytes)) {}
  [[nodiscard]] std::string reserve() const { return path_ + "/reserve"; }

  std::string path_;
  int owner_;
  FreeBytes free_bytes_;
  bool has_reserve_ = false;
};

}  // namespace idem::store

// The folder of an embedded store: who owns it, and the reserve of disk in it.
//
//   PATH/owner     locked by the process that owns the folder
//   PATH/reserve   room that is given up when the disk is full, so that running claims can complete
//   PATH/records   RocksDB's own
//   PATH/notes     see embedded_notes.h
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

  /// What the disk under a folder has room for.
  using FreeBytes = std::function<std::uint64_t(const std::string& path)>;
  static std::uint64_t FreeBytesOf(const std::string& path);

  /// Creates the folder and waits, as long as `keep_waiting()` says so (asked ten times a second),
  /// until no other process owns it; the log says once that it waits.
  static Result<std::unique_ptr<EmbeddedFolder>> Own(const std::string& path,
                                                     const std::function<bool()>& keep_waiting,
                                                     FreeBytes free_bytes = FreeBytesOf);
  ~EmbeddedFolder();
  EmbeddedFolder(const EmbeddedFolder&) = delete;
  EmbeddedFolder& operator=(const EmbeddedFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string records() const { return path_ + "/records"; }
  [[nodiscard]] std::string notes() const { return path_ + "/notes"; }

  /// Takes the reserve, if the disk has room for it and twice as much beside it. True when it is
  /// there.
  bool MakeReserve();
  /// True if there was one.
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

#include "proxy/store/embedded/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <thread>

#include "proxy/base/log.h"

namespace idem::store {

namespace {

Error CannotUse(const std::string& path, int number) {
  return {ErrorCode::kRefused,
          "cannot use the folder " + path + ": " + std::system_category().message(number) +
              "; set store.path to a folder that this user may write",
          Delivery::kNotSent};
}

/// Syncs the folder above a new one: the new folder's name is stored there, and its contents
/// survive a power loss only together with the name. Returns 0 or an errno.
int SyncFolder(const std::filesystem::path& path) {
  const int folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return errno;
  const int error = fsync(folder) == 0 ? 0 : errno;
  close(folder);
  return error == EINVAL ? 0 : error;  // a file system that cannot sync folders
}

/// Makes `path` and the missing folders above it, durably. Returns 0 or an errno.
int MakeFolder(const std::filesystem::path& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) return 0;
  if (path.has_parent_path() && path.parent_path() != path) {
    if (const int error = MakeFolder(path.parent_path()); error != 0) return error;
  }
  // Recorded responses are private, whatever the umask.
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno;
  return SyncFolder(path.has_parent_path() ? path.parent_path() : ".");
}

// A folder that was made before, or by hand, keeps its rights.
void WarnOfOpenFolder(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  log::Write(
      log::Level::kWarn, "store_folder_open",
      {{"path", std::string_view(path)},
       {"detail",
        "other users of this machine may read the recorded responses (chmod 700 the folder)"}});
}

}  // namespace

Result<std::unique_ptr<EmbeddedFolder>> EmbeddedFolder::Own(
    const std::string& path, const std::function<bool()>& keep_waiting, FreeBytes free_bytes) {
  constexpr auto kPause = std::chrono::milliseconds(100);
  if (const int error = MakeFolder(path + "/records"); error != 0) return CannotUse(path, error);
  WarnOfOpenFolder(path);
  const int owner = open((path + "/owner").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (owner < 0) return CannotUse(path, errno);
  std::unique_ptr<EmbeddedFolder> folder(new EmbeddedFolder(path, owner, std::move(free_bytes)));

  for (bool is_told = false; flock(owner, LOCK_EX | LOCK_NB) != 0; is_told = true) {
    if (errno != EWOULDBLOCK && errno != EINTR) return CannotUse(path, errno);
    if (!is_told) {
      log::Write(log::Level::kWarn, "store_owned_by_another",
                 {{"path", std::string_view(path)},
                  {"detail", "another process owns this folder; waiting until it ends"}});
      log::Flush();
    }
    if (!keep_waiting()) {
      return Error{ErrorCode::kUnavailable, "another process owns the folder " + path,
                   Delivery::kNotSent};
    }
    std::this_thread::sleep_for(kPause);
  }
  return folder;
}

EmbeddedFolder::~EmbeddedFolder() { close(owner_); }

std::uint64_t EmbeddedFolder::FreeBytesOf(const std::string& path) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return 0;
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

bool EmbeddedFolder::MakeReserve() {
  if (has_reserve_) return true;
  const int file = open(reserve().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const bool is_roomy =
      lseek(file, 0, SEEK_END) == static_cast<off_t>(kReserveBytes) ||  // of an earlier process
      free_bytes_(path_) >= 3 * kReserveBytes;
  has_reserve_ = is_roomy && posix_fallocate(file, 0, static_cast<off_t>(kReserveBytes)) == 0;
  close(file);
  if (!has_reserve_) unlink(reserve().c_str());
  return has_reserve_;
}

bool EmbeddedFolder::GiveUpReserve() {
  if (!has_reserve_) return false;
  has_reserve_ = false;
  unlink(reserve().c_str());
  return true;
}

}  // namespace idem::store

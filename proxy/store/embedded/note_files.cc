#include "proxy/store/embedded/note_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace idem::store {

namespace {

constexpr std::size_t kNoteBytesMax = 16 << 20;

Error Failed(std::string_view what, const std::string& path) {
  return {ErrorCode::kUnavailable, "the embedded store " + std::string(what) + " " + path + ": " +
                                       std::system_category().message(errno)};
}

/// An open file, closed at the end.
class File {
 public:
  File(const std::string& path, int flags) : descriptor_(open(path.c_str(), flags, 0600)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  bool WriteAll(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  bool ReadAll(std::string& to) const {
    char buffer[4096];
    while (to.size() <= kNoteBytesMax) {
      const ssize_t count = read(descriptor_, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      if (count == 0) return true;
      to.append(buffer, static_cast<std::size_t>(count));
    }
    errno = EFBIG;
    return false;
  }
  [[nodiscard]] bool Sync() const { return fsync(descriptor_) == 0; }

 private:
  int descriptor_;
};

}  // namespace

Result<std::optional<std::string>> EmbeddedNotes::Read(std::string_view name) const {
  const std::string path = folder_ + "/" + std::string(name);
  const File file(path, O_RDONLY | O_CLOEXEC);
  if (!file.is_open() && errno == ENOENT) return std::optional<std::string>();
  std::string value;
  if (!file.is_open() || !file.ReadAll(value)) return Failed("cannot read", path);
  return std::optional(std::move(value));
}

Status EmbeddedNotes::Write(std::string_view name, std::string_view value) {
  std::error_code failed;
  const bool is_new = std::filesystem::create_directories(folder_, failed);
  const std::string path = folder_ + "/" + std::string(name);
  const std::string draft = path + ".new";
  {
    const File file(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
    if (!file.is_open() || !file.WriteAll(value) || !file.Sync()) {
      return Failed("cannot write", draft);
    }
  }
  if (std::rename(draft.c_str(), path.c_str()) != 0) return Failed("cannot write", path);
  const File folder(folder_, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!folder.is_open() || !folder.Sync()) return Failed("cannot sync", folder_);
  if (!is_new) return Ok();
  const File parent(folder_ + "/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!parent.is_open() || !parent.Sync()) return Failed("cannot sync", folder_ + "/..");
  return Ok();
}

}  // namespace idem::store

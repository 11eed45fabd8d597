#include "proxy/config/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace idem::config {

namespace {

struct Descriptor {
  explicit Descriptor(int its_number) : number(its_number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  const int number;
};

Error CannotRead() {
  return {ErrorCode::kInvalid, std::string("cannot be read: ") + std::strerror(errno)};
}

}  // namespace

Result<SecretFile> ReadSecretFile(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (file.number < 0 || fstat(file.number, &status) != 0) return CannotRead();
  if (S_ISDIR(status.st_mode)) return Error{ErrorCode::kInvalid, "is a folder"};
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::kInvalid, "is not a regular file"};
  SecretFile read{{}, (status.st_mode & S_IWOTH) != 0};
  char piece[4096];
  for (;;) {
    const ssize_t got = ::read(file.number, piece, sizeof piece);
    if (got < 0) return CannotRead();
    if (got == 0) return read;
    read.text.append(piece, static_cast<std::size_t>(got));
    if (read.text.size() > bytes_max) {
      return Error{ErrorCode::kInvalid,
                   "is larger than " + std::to_string(bytes_max >> 10) + "KiB"};
    }
  }
}

}  // namespace idem::config

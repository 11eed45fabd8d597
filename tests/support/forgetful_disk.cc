#include "tests/support/forgetful_disk.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace idem::support {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

constexpr std::size_t kPageBytes = 4096;

std::string FolderOf(const std::string& name) {
  return std::filesystem::path(name).parent_path().lexically_normal().string();
}
std::string LastOf(const std::string& name) {
  return std::filesystem::path(name).filename().string();
}

}  // namespace

/// Counts the bytes that are written; a sync raises the count of safe bytes.
class ForgetfulDisk::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSWritableFile> file, std::string name, BytesPointer bytes,
       ForgetfulDisk& disk)
      : FSWritableFileOwnerWrapper(std::move(file)),
        name_(std::move(name)),
        bytes_(std::move(bytes)),
        disk_(disk) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return Step([&] {
      bytes_->written += data.size();
      return FSWritableFileOwnerWrapper::Append(data, options, debug);
    });
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& verification,
                  IODebugContext* debug) override {
    return Step([&] {
      bytes_->written += data.size();
      return FSWritableFileOwnerWrapper::Append(data, options, verification, debug);
    });
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    return Step([&] {
      bytes_->written = size;
      bytes_->synced = std::min(bytes_->synced, size);
      return FSWritableFileOwnerWrapper::Truncate(size, options, debug);
    });
  }
  // The real disk need not sync, because this class decides what it holds.
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    return Step([&] {
      if (disk_.honest_) bytes_->synced = bytes_->written;
      return IOStatus::OK();
    });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }
  /// sync_file_range(2): "not suitable for data integrity operations".
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  template <class Do>
  IOStatus Step(Do step) {
    const std::lock_guard lock(disk_.mutex_);
    disk_.before_each_step_(name_);
    return step();
  }

  std::string name_;
  BytesPointer bytes_;
  ForgetfulDisk& disk_;
};

class ForgetfulDisk::Folder final : public rocksdb::FSDirectoryWrapper {
 public:
  Folder(std::unique_ptr<rocksdb::FSDirectory> folder, std::string name, ForgetfulDisk& disk)
      : FSDirectoryWrapper(std::move(folder)), name_(std::move(name)), disk_(disk) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_.mutex_);
    disk_.before_each_step_(name_);
    if (!disk_.honest_) return IOStatus::OK();
    Listing& listing = disk_.folders_[name_];
    listing.synced = listing.now;
    listing.since.clear();
    return IOStatus::OK();
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

 private:
  std::string name_;
  ForgetfulDisk& disk_;
};

ForgetfulDisk::ForgetfulDisk(bool honest, std::function<void(const std::string&)> before_each_step)
    : FileSystemWrapper(rocksdb::FileSystem::Default()),
      honest_(honest),
      before_each_step_(std::move(before_each_step)),
      links_(std::filesystem::temp_directory_path() / "idem-disk.XXXXXX") {
  if (mkdtemp(links_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

ForgetfulDisk::~ForgetfulDisk() {
  std::error_code ignored;
  std::filesystem::remove_all(links_, ignored);
}

IOStatus ForgetfulDisk::NewWritableFile(const std::string& name,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* file,
                                        IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  before_each_step_(name);
  std::filesystem::remove(name);  // O_TRUNC would lose bytes that a power loss may keep
  const IOStatus made = FileSystemWrapper::NewWritableFile(name, options, file, debug);
  if (!made.ok()) return made;
  const auto bytes = std::make_shared<Bytes>();
  bytes->link = links_ + "/" + std::to_string(++files_);
  std::filesystem::create_hard_link(name, bytes->link);
  Apply(FolderOf(name), {{{LastOf(name), bytes}}});
  *file = std::make_unique<File>(std::move(*file), name, bytes, *this);
  return made;
}

IOStatus ForgetfulDisk::NewDirectory(const std::string& name, const IOOptions& options,
                                     std::unique_ptr<rocksdb::FSDirectory>* folder,
                                     IODebugContext* debug) {
  const IOStatus made = FileSystemWrapper::NewDirectory(name, options, folder, debug);
  if (made.ok())
    *folder = std::make_unique<Folder>(std::move(*folder), FolderOf(name + "/"), *this);
  return made;
}

IOStatus ForgetfulDisk::RenameFile(const std::string& from, const std::string& to,
                                   const IOOptions& options, IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  before_each_step_(to);
  const std::string folder = FolderOf(from);
  const BytesPointer bytes = folders_[folder].now[LastOf(from)];
  const IOStatus renamed = FileSystemWrapper::RenameFile(from, to, options, debug);
  if (!renamed.ok()) return renamed;
  if (folder != FolderOf(to) || bytes == nullptr) return IOStatus::NotSupported("ForgetfulDisk");
  Apply(folder, {{{LastOf(from), nullptr}, {LastOf(to), bytes}}});
  return renamed;
}

IOStatus ForgetfulDisk::DeleteFile(const std::string& name, const IOOptions& options,
                                   IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  before_each_step_(name);
  const IOStatus removed = FileSystemWrapper::DeleteFile(name, options, debug);
  if (removed.ok()) Apply(FolderOf(name), {{{LastOf(name), nullptr}}});
  return removed;
}

void ForgetfulDisk::Apply(const std::string& folder, Rename rename) {
  Listing& listing = folders_[folder];
  Change(listing.now, rename);
  listing.since.push_back(std::move(rename));
}

void ForgetfulDisk::Change(Names& names, const Rename& rename) {
  for (const auto& [name, bytes] : rename.changes) {
    if (bytes == nullptr) {
      names.erase(name);
    } else {
      names[name] = bytes;
    }
  }
}

void ForgetfulDisk::LosePower(const std::string& from, const std::string& to,
                              std::mt19937_64& random) const {
  std::filesystem::create_directories(to);
  const auto found = folders_.find(FolderOf(from + "/"));
  if (found == folders_.end()) return;
  const Listing& listing = found->second;
  Names left = listing.synced;
  const std::size_t steps = random() % (listing.since.size() + 1);
  for (std::size_t i = 0; i < steps; ++i) Change(left, listing.since[i]);
  for (const auto& [name, bytes] : left) CopyRemains(*bytes, to + "/" + name, random);
}

void ForgetfulDisk::CopyRemains(const Bytes& bytes, const std::string& to,
                                std::mt19937_64& random) {
  std::ifstream in(bytes.link, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (text.size() < bytes.written) throw std::runtime_error("ForgetfulDisk lost count of " + to);
  text.resize(bytes.synced + random() % (bytes.written - bytes.synced + 1));
  for (std::size_t page = bytes.synced; page < text.size();) {
    const std::size_t end = std::min(text.size(), (page / kPageBytes + 1) * kPageBytes);
    if (random() % 2 == 0) text.replace(page, end - page, end - page, '\0');
    page = end;
  }
  std::ofstream(to, std::ios::binary) << text;
}

}  // namespace idem::support

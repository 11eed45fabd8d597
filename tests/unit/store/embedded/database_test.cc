#include "proxy/store/embedded/database.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/support/temp_folder.h"

namespace idem::store {

using std::chrono::milliseconds;

namespace {

constexpr StoreTime kStart{std::chrono::hours(1000)};

struct Disk {
  support::TempFolder folder;
  std::atomic<bool> is_over = false;
  std::unique_ptr<EmbeddedDisk> disk = Open();

  std::unique_ptr<EmbeddedDisk> Open() {
    auto opened = EmbeddedDisk::Open({folder.path() + "/records", false, nullptr,
                                      [this](StoreTime at) { return is_over && at <= kStart; }});
    REQUIRE(opened);
    return std::move(*opened);
  }
  EmbeddedDisk::Found Find(std::string_view key) const {
    std::string bytes;
    auto found = disk->Get(key, EmbeddedDisk::From::kAnywhere, bytes);
    REQUIRE(found);
    return *found;
  }
};

}  // namespace

TEST_CASE("a value comes back without its stamp, once it is committed") {
  Disk on;
  on.disk->Put("k", kStart, "bytes");
  CHECK(on.Find("k") == EmbeddedDisk::Found::kNo);
  CHECK(on.disk->batch_bytes() > 0);
  CHECK(on.disk->Commit());
  CHECK(on.disk->batch_bytes() == 0);
  std::string bytes;
  REQUIRE(on.disk->Get("k", EmbeddedDisk::From::kMemory, bytes));
  CHECK(bytes == "bytes");

  on.disk->Erase("k");
  CHECK(on.disk->Commit());
  CHECK(on.Find("k") == EmbeddedDisk::Found::kNo);
}

TEST_CASE("compaction drops what has expired, and neither what lives nor the store's notes") {
  Disk on;
  const std::string note("\0note", 5);
  on.disk->Put("expired", kStart, "old");
  on.disk->Put("alive", kStart + milliseconds(1), "young");
  on.disk->Put(note, StoreTime{}, "note");
  CHECK(on.disk->Commit());
  on.is_over = true;
  on.disk->Compact();
  while (on.Find("expired") != EmbeddedDisk::Found::kNo) std::this_thread::yield();
  CHECK(on.Find("alive") == EmbeddedDisk::Found::kYes);
  CHECK(on.Find(note) == EmbeddedDisk::Found::kYes);
}

TEST_CASE("a disk that is fine may be revived") {
  Disk on;
  on.disk->Put("k", kStart, "bytes");
  CHECK(on.disk->Commit());
  CHECK(on.disk->Revive());
  CHECK(on.Find("k") == EmbeddedDisk::Found::kYes);
}

}  // namespace idem::store

#include "proxy/store/embedded/disk_health.h"

#include <utility>

#include "proxy/base/log.h"

namespace idem::store {

namespace {

constexpr auto kReviveEvery = std::chrono::milliseconds(250);
constexpr auto kCompactEvery = std::chrono::minutes(10);

Error DiskIsFull(const std::string& path) {
  return {ErrorCode::kRefused,
          "the disk under " + path + " is full: new claims are refused until 96 MiB are free",
          Delivery::kNotSent};
}

}  // namespace

bool DiskHealth::IsCheckDue() {
  const BootTime now = BootClock::now();
  if (now < next_check_) return false;
  next_check_ = now + kCheckEvery;
  return true;
}

void DiskHealth::Check() {
  std::optional<Error> refusal = RefusalNow();
  const bool is_changed = refusal.has_value() != refusal_.has_value();
  refusal_ = std::move(refusal);
  if (is_changed) Report();
}

std::optional<Error> DiskHealth::Commit() {
  Status done = disk_.Commit();
  if (done || CommitOnceMore(done.error())) {
    if (std::exchange(failure_, std::nullopt)) Report();
    return std::nullopt;
  }
  disk_.DropBatch();
  const bool is_new = !failure_.has_value();
  failure_ = std::move(done).error();
  if (is_new) Report();
  return failure_;
}

bool DiskHealth::CommitOnceMore(const Error& first) {
  const bool has_room_now = first.code == ErrorCode::kRefused && folder_.GiveUpReserve();
  const BootTime now = BootClock::now();
  if (!has_room_now && now < next_revival_) return false;
  next_revival_ = now + kReviveEvery;
  if (!disk_.Revive() || !disk_.Commit()) return false;
  if (has_room_now) {
    refusal_ = DiskIsFull(folder_.path());
    next_check_ = now + kCheckEvery;
    Report();
  }
  return true;
}

std::optional<Error> DiskHealth::RefusalNow() {
  if (!folder_.MakeReserve()) return DiskIsFull(folder_.path());
  if (disk_.size_bytes() < max_size_) return std::nullopt;
  if (const BootTime now = BootClock::now(); now >= next_compaction_) {
    next_compaction_ = now + kCompactEvery;
    disk_.Compact();
  }
  return Error{ErrorCode::kRefused, "the embedded store has reached store.max_size (" +
                                        std::to_string(max_size_) +
                                        " bytes): raise it, or lower the ttl of its routes"};
}

std::optional<std::string> DiskHealth::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void DiskHealth::Report() {
  const std::optional<Error>& reason = failure_ ? failure_ : refusal_;
  {
    const std::lock_guard lock(mutex_);
    trouble_ = reason ? std::optional(reason->detail) : std::nullopt;
  }
  if (reason) {
    log::Write(log::Level::kError, "store_in_trouble",
               {{"detail", std::string_view(reason->detail)}});
  } else {
    log::Write(log::Level::kInfo, "store_recovered");
  }
}

}  // namespace idem::store

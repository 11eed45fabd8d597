#include "proxy/store/embedded/writer.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"
#include "proxy/idempotency/key.h"
#include "proxy/idempotency/lease.h"
#include "proxy/idempotency/record_codec.h"

namespace idem::store {

using idempotency::Claim;
using idempotency::Record;
using idempotency::RecordState;

namespace {

constexpr std::size_t kQueueMax = 100'000;  // questions; beyond it no new claims are asked for
constexpr std::size_t kHeldMax = 100'000;
constexpr std::size_t kBatchBytesMax = 4 * 1024 * 1024;
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr auto kReviveEvery = std::chrono::milliseconds(250);
constexpr auto kCompactEvery = std::chrono::minutes(10);

// What is put on the disk is INCARNATION (8 bytes, little-endian) and the record's byte form.
constexpr std::size_t kIncarnationBytes = sizeof(std::uint64_t);

std::string Pack(std::uint64_t incarnation, const Record& record) {
  std::string bytes(kIncarnationBytes, '\0');
  std::memcpy(bytes.data(), &incarnation, kIncarnationBytes);
  return bytes += idempotency::Encode(record);
}

Error DiskIsFull(const std::string& path) {
  return {ErrorCode::kRefused,
          "the disk under " + path + " is full: new claims are refused until 96 MiB are free",
          Delivery::kNotSent};
}

/// The claim of `record`, which has expired, if nobody has found out what became of it.
std::optional<Claim> ForgottenClaim(const Record& record) {
  if (record.state == RecordState::kCompleted) return std::nullopt;
  return record.claim;
}

// One that was only observed had no outcome that anybody waits for.
void TellForgotten(const std::string& key, const Claim& claim) {
  if (key.starts_with(idempotency::kObservedPrefix)) return;
  const std::string key_hash = idempotency::KeyHash(key);
  log::WriteLimited(log::Level::kWarn, "unknown_expired",
                    {{"records", std::int64_t{1}},
                     {"key_hash", std::string_view(key_hash)},
                     {"route", std::string_view(claim.route)},
                     {"detail",
                      "what became of it was never found out, and is forgotten now: its key is "
                      "taken for a new one"}});
}

bool IsExecuting(const StoredRecord& present) {
  return present && present->state == RecordState::kExecuting;
}

}  // namespace

EmbeddedWriter::EmbeddedWriter(EmbeddedDisk& disk, EmbeddedFolder& folder,
                               const EmbeddedClock& clock, std::uint64_t incarnation,
                               std::uint64_t max_size)
    : disk_(disk), folder_(folder), clock_(clock), incarnation_(incarnation), max_size_(max_size) {
  LookAfterDisk();
  thread_ = std::thread([this] { Run(); });
}

EmbeddedWriter::~EmbeddedWriter() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    asked_.notify_one();
  }
  thread_.join();
}

// --- from any thread ---

void EmbeddedWriter::Ask(std::unique_ptr<EmbeddedJob> job) {
  const std::lock_guard lock(mutex_);
  INVARIANT(!is_ending_);
  ++job->asker().unanswered;
  queue_.push_back(std::move(job));
  if (std::exchange(is_asleep_, false)) asked_.notify_one();
}

void EmbeddedWriter::Leave(EmbeddedAsker& asker) {
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [&] { return asker.unanswered == 0; });
}

bool EmbeddedWriter::is_full() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() >= kQueueMax;
}

std::optional<std::string> EmbeddedWriter::unavailable_reason() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

Result<EmbeddedWriter::Reading> EmbeddedWriter::Read(std::string_view key,
                                                     EmbeddedDisk::From from) const {
  std::string bytes;
  Result<EmbeddedDisk::Found> found = disk_.Get(key, from, bytes);
  if (!found) return std::move(found).error();
  if (*found != EmbeddedDisk::Found::kYes) {
    return Reading{*found == EmbeddedDisk::Found::kNo, std::nullopt};
  }
  return Interpret(bytes);
}

Result<EmbeddedWriter::Reading> EmbeddedWriter::Interpret(std::string_view bytes) const {
  if (bytes.size() < kIncarnationBytes) {
    return Error{ErrorCode::kCorrupt, "the embedded store holds a record that is cut short"};
  }
  std::uint64_t incarnation = 0;
  std::memcpy(&incarnation, bytes.data(), kIncarnationBytes);
  Result<Record> record = idempotency::Decode(bytes.substr(kIncarnationBytes));
  if (!record) return std::move(record).error();

  if (clock_.HasExpired(record->expires_at)) {
    return Reading{true, std::nullopt, ForgottenClaim(*record)};
  }
  const StoreTime now = clock_.Now();
  if (record->expires_at <= now) record->expires_at = clock_.held_until();  // expiry is held
  if (record->state == RecordState::kCompleted || incarnation == incarnation_) {
    return Reading{true, std::move(*record)};
  }
  record->state = RecordState::kUnknown;  // its process is dead
  record->lease_ends_at = idempotency::LeaseEndAfterRestart(*record, clock_.started_at());
  return Reading{true, std::move(*record)};
}

// --- the writer's thread ---

void EmbeddedWriter::Run() {
  Jobs jobs;
  while (Take(jobs)) {
    LookAfterDisk();
    for (std::size_t next = 0; next < jobs.size();) next = RunBatch(jobs, next);
    jobs.clear();
  }
  Stamp(clock_.Now());
  (void)disk_.Commit();
}

/// Waits for questions; false when the end has come and all are answered. In trouble it returns now
/// and then without any, so that the trouble is seen to end although nobody asks.
bool EmbeddedWriter::Take(Jobs& jobs) {
  const bool is_in_trouble = refusal_ || failure_;
  std::unique_lock lock(mutex_);
  is_asleep_ = true;
  const auto has_work = [this] { return !queue_.empty() || is_ending_; };
  if (is_in_trouble) {
    asked_.wait_for(lock, kLookEvery, has_work);
  } else {
    asked_.wait(lock, has_work);
  }
  is_asleep_ = false;
  std::swap(jobs, queue_);
  return !jobs.empty() || !is_ending_;
}

/// Runs questions from `first` on as one batch; answers the index of the first that is not in it.
std::size_t EmbeddedWriter::RunBatch(Jobs& jobs, std::size_t first) {
  const StoreTime now = clock_.Now();
  Jobs at_once;
  Jobs after_commit;
  std::size_t next = first;
  for (; next < jobs.size() && disk_.batch_bytes() < kBatchBytesMax; ++next) {
    const bool waits = RunStep(*jobs[next], now);
    (waits ? after_commit : at_once).push_back(std::move(jobs[next]));
  }
  Deliver(std::move(at_once));
  if (after_commit.empty()) return next;

  const std::optional<Error> failed = Commit(now);
  CloseBatch(!failed);
  if (failed) {
    for (const auto& job : after_commit) job->Fail(*failed);
  }
  Deliver(std::move(after_commit));
  return next;
}

/// True if the answer rests on what this batch has written.
bool EmbeddedWriter::RunStep(EmbeddedJob& job, StoreTime now) {
  const CachedClaim* held = held_.Find(job.key());
  const bool rests_on_batch = held != nullptr && held->is_of_batch;
  StoredRecord present;
  std::optional<Claim> forgotten;
  if (held != nullptr) {
    present = WithoutExpired(held->record, now);
    if (held->record && !present) forgotten = ForgottenClaim(*held->record);
  } else {
    Result<Reading> read = Read(job.key(), EmbeddedDisk::From::kAnywhere);
    if (!read) return job.Fail(read.error()), false;
    present = std::move(read->record);
    forgotten = std::move(read->forgotten);
  }
  EmbeddedJob::Effect effect = job.Run(std::move(present), now, refusal_);
  if (effect.change == RecordWrite::kNone) return rests_on_batch;
  if (forgotten) TellForgotten(job.key(), *forgotten);
  Write(job.key(), std::move(effect));
  return true;
}

void EmbeddedWriter::Write(const std::string& key, EmbeddedJob::Effect effect) {
  if (effect.change == RecordWrite::kErase) {
    disk_.Erase(key);
  } else {
    INVARIANT(effect.record.has_value());
    disk_.Put(key, effect.record->expires_at, Pack(incarnation_, *effect.record));
  }
  const StoreTime end = effect.record ? effect.record->lease_ends_at : StoreTime{};
  held_.Put(key, {std::move(effect.record), true}, end);
  written_.push_back(key);
}

/// Of what was written only the claims stay in memory; of a batch that failed nothing does.
void EmbeddedWriter::CloseBatch(bool is_committed) {
  for (const std::string& key : written_) {
    CachedClaim* held = held_.Find(key);
    if (held == nullptr) continue;
    if (is_committed && IsExecuting(held->record)) {
      held->is_of_batch = false;
    } else {
      held_.Erase(key);
    }
  }
  written_.clear();
}

/// One post to each loop.
void EmbeddedWriter::Deliver(Jobs jobs) {
  if (jobs.empty()) return;
  const auto by_asker = [](const auto& a, const auto& b) { return &a->asker() < &b->asker(); };
  std::stable_sort(jobs.begin(), jobs.end(), by_asker);
  for (auto first = jobs.begin(); first != jobs.end();) {
    EmbeddedAsker& asker = (*first)->asker();
    const auto last =
        std::find_if(first, jobs.end(), [&](const auto& job) { return &job->asker() != &asker; });
    Jobs of_asker(std::make_move_iterator(first), std::make_move_iterator(last));
    const std::size_t count = of_asker.size();
    asker.loop->Post([answered = std::move(of_asker)] {
      for (const auto& job : answered) job->Deliver();
    });
    first = last;
    const std::lock_guard lock(mutex_);  // from here on the asker may be gone
    asker.unanswered -= count;
    if (asker.unanswered == 0) answered_.notify_all();
  }
}

// --- committing ---

std::optional<Error> EmbeddedWriter::Commit(StoreTime now) {
  if (now - stamped_at_ >= EmbeddedClock::kStampEvery) Stamp(now);
  Status done = disk_.Commit();
  if (done || CommitOnceMore(done.error())) {
    if (std::exchange(failure_, std::nullopt)) Report();
    return std::nullopt;
  }
  disk_.DropBatch();
  stamped_at_ = {};
  const bool is_new = !failure_.has_value();
  failure_ = std::move(done).error();
  if (is_new) Report();
  return failure_;
}

/// After a failure: gives up the reserve if the disk is full, makes the disk writable again, and
/// commits the same batch.
bool EmbeddedWriter::CommitOnceMore(const Error& first) {
  const bool has_room_now = first.code == ErrorCode::kRefused && folder_.GiveUpReserve();
  const BootTime now = BootClock::now();
  if (!has_room_now && now < next_revival_) return false;
  next_revival_ = now + kReviveEvery;
  if (!disk_.Revive() || !disk_.Commit()) return false;
  if (has_room_now) {
    refusal_ = DiskIsFull(folder_.path());
    next_look_ = now + kLookEvery;
    Report();
  }
  return true;
}

void EmbeddedWriter::Stamp(StoreTime now) {
  const std::int64_t milliseconds = now.time_since_epoch().count();
  char note[sizeof milliseconds];
  std::memcpy(note, &milliseconds, sizeof note);
  disk_.Put(kStampNote, StoreTime{}, {note, sizeof note});
  stamped_at_ = now;
}

// --- the disk's health ---

void EmbeddedWriter::LookAfterDisk() {
  held_.DropExpired(clock_.Now(), kHeldMax);
  while (held_.size() > kHeldMax) held_.DropSoonest();
  const BootTime now = BootClock::now();
  if (now < next_look_) return;
  next_look_ = now + kLookEvery;
  if (failure_) {
    Stamp(clock_.Now());
    (void)Commit(clock_.Now());
  }
  std::optional<Error> refusal = RefusalNow();
  const bool is_changed = refusal.has_value() != refusal_.has_value();
  refusal_ = std::move(refusal);
  if (is_changed) Report();
}

/// Why no new claim can be taken now.
std::optional<Error> EmbeddedWriter::RefusalNow() {
  if (!folder_.MakeReserve()) {
    return DiskIsFull(folder_.path());
  }
  if (disk_.size_bytes() < max_size_) return std::nullopt;
  if (const BootTime now = BootClock::now(); now >= next_compaction_) {
    next_compaction_ = now + kCompactEvery;
    disk_.Compact();
  }
  return Error{ErrorCode::kRefused, "the embedded store has reached store.max_size (" +
                                        std::to_string(max_size_) +
                                        " bytes): raise it, or lower the ttl of its routes"};
}

/// Tells /readyz and the log what changed.
void EmbeddedWriter::Report() {
  const std::optional<Error>& unavailable_reason = failure_ ? failure_ : refusal_;
  {
    const std::lock_guard lock(mutex_);
    trouble_ = unavailable_reason ? std::optional(unavailable_reason->detail) : std::nullopt;
  }
  if (unavailable_reason) {
    log::Write(log::Level::kError, "store_in_trouble",
               {{"detail", std::string_view(unavailable_reason->detail)}});
  } else {
    log::Write(log::Level::kInfo, "store_recovered");
  }
}

}  // namespace idem::store

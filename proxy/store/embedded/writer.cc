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

constexpr std::size_t kQueueMax = 100'000;  // jobs; with more of them new claims are refused
constexpr std::size_t kBatchBytesMax = 4 * 1024 * 1024;

// A value on the disk is INCARNATION (8 bytes, little-endian) and the record's byte form.
constexpr std::size_t kIncarnationBytes = sizeof(std::uint64_t);

std::string Pack(std::uint64_t incarnation, const Record& record) {
  std::string bytes(kIncarnationBytes, '\0');
  std::memcpy(bytes.data(), &incarnation, kIncarnationBytes);
  return bytes += idempotency::Encode(record);
}

/// Returns the claim of the expired `record` if its outcome never became known.
std::optional<Claim> ForgottenClaim(const Record& record) {
  if (record.state == RecordState::kCompleted) return std::nullopt;
  return record.claim;
}

// An observed claim is not logged: no client waits for its outcome.
void LogForgotten(const std::string& key, const Claim& claim) {
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

}  // namespace

EmbeddedWriter::EmbeddedWriter(EmbeddedDisk& disk, EmbeddedFolder& folder,
                               const EmbeddedClock& clock, std::uint64_t incarnation,
                               std::uint64_t max_size)
    : disk_(disk), clock_(clock), incarnation_(incarnation), health_(disk, folder, max_size) {
  Maintain();
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
  if (record->expires_at <= now) record->expires_at = clock_.held_until();  // expiry is on hold
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
    Maintain();
    for (std::size_t next = 0; next < jobs.size();) next = RunBatch(jobs, next);
    jobs.clear();
  }
  Stamp(clock_.Now());
  (void)disk_.Commit();
}

/// Waits for jobs. Returns false when the store ends and all jobs are answered. While the disk is
/// in trouble it returns without jobs at intervals, so that the end of the trouble is noticed.
bool EmbeddedWriter::Take(Jobs& jobs) {
  const bool is_in_trouble = health_.refusal() || health_.has_failed();
  std::unique_lock lock(mutex_);
  is_asleep_ = true;
  const auto has_work = [this] { return !queue_.empty() || is_ending_; };
  if (is_in_trouble) {
    asked_.wait_for(lock, DiskHealth::kCheckEvery, has_work);
  } else {
    asked_.wait(lock, has_work);
  }
  is_asleep_ = false;
  std::swap(jobs, queue_);
  return !jobs.empty() || !is_ending_;
}

/// Runs jobs from `first` on as one batch, and returns the index of the first job behind it.
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
  claims_.CloseBatch(!failed);
  if (failed) {
    for (const auto& job : after_commit) job->Fail(*failed);
  }
  Deliver(std::move(after_commit));
  return next;
}

/// Returns true if the answer depends on a write of this batch.
bool EmbeddedWriter::RunStep(EmbeddedJob& job, StoreTime now) {
  const CachedClaims::Entry* cached = claims_.Find(job.key());
  const bool rests_on_batch = cached != nullptr && cached->is_of_batch;
  StoredRecord present;
  std::optional<Claim> forgotten;
  if (cached != nullptr) {
    present = WithoutExpired(cached->record, now);
    if (cached->record && !present) forgotten = ForgottenClaim(*cached->record);
  } else {
    Result<Reading> read = Read(job.key(), EmbeddedDisk::From::kAnywhere);
    if (!read) return job.Fail(read.error()), false;
    present = std::move(read->record);
    forgotten = std::move(read->forgotten);
  }
  EmbeddedJob::Effect effect = job.Run(std::move(present), now, health_.refusal());
  if (effect.change == RecordWrite::kNone) return rests_on_batch;
  if (forgotten) LogForgotten(job.key(), *forgotten);
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
  claims_.Write(key, std::move(effect.record));
}

/// Makes one post to each loop.
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
    const std::lock_guard lock(mutex_);  // after this the asker may be destroyed
    asker.unanswered -= count;
    if (asker.unanswered == 0) answered_.notify_all();
  }
}

// --- committing ---

std::optional<Error> EmbeddedWriter::Commit(StoreTime now) {
  if (now - stamped_at_ >= EmbeddedClock::kStampEvery) Stamp(now);
  std::optional<Error> failed = health_.Commit();
  if (failed) stamped_at_ = {};
  return failed;
}

void EmbeddedWriter::Stamp(StoreTime now) {
  const std::int64_t milliseconds = now.time_since_epoch().count();
  char note[sizeof milliseconds];
  std::memcpy(note, &milliseconds, sizeof note);
  disk_.Put(kStampNote, StoreTime{}, {note, sizeof note});
  stamped_at_ = now;
}

// A commit of only the stamp shows whether a disk that has failed works again.
void EmbeddedWriter::Maintain() {
  claims_.Trim(clock_.Now());
  if (!health_.IsCheckDue()) return;
  if (health_.has_failed()) {
    Stamp(clock_.Now());
    (void)Commit(clock_.Now());
  }
  health_.Check();
}

}  // namespace idem::store

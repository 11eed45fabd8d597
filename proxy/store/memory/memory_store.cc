#include "proxy/store/memory/memory_store.h"

#include <charconv>
#include <utility>

#include "proxy/base/invariant.h"

namespace idem::store {

using idempotency::Record;
using ports::BeginRequest;
using ports::BeginResult;
using ports::LimitResult;
using ports::LookUpReservation;
using ports::NoteResult;
using ports::RecordFilter;
using ports::RecordPage;
using ports::TransitionResult;

std::size_t MemoryStore::size() const {
  std::size_t size = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    size += shard.records.size();
  }
  return size;
}

template <class StepFunction>
auto MemoryStore::Apply(std::string_view record_key, StepFunction&& step) {
  constexpr std::size_t kDropPerStep = 4;
  Shard& shard = shards_[TextHash{}(record_key) % kShards];
  const std::lock_guard lock(shard.mutex);
  const StoreTime now = clock_();
  shard.records.DropExpired(now, kDropPerStep);
  const Record* found = shard.records.Find(record_key);
  auto made = step(found == nullptr ? StoredRecord() : WithoutExpired(*found, now), now);
  if (made.change == RecordWrite::kErase) shard.records.Erase(record_key);
  if (made.change == RecordWrite::kWrite) {
    INVARIANT(made.record.has_value());
    const StoreTime expires_at = made.record->expires_at;
    shard.records.Put(std::string(record_key), std::move(*made.record), expires_at);
  }
  return std::move(made.answer);
}

RecordPage MemoryStore::List(const RecordFilter& filter, std::size_t shard) {
  RecordPage answer;
  const std::lock_guard lock(shards_[shard].mutex);
  answer.now = clock_();
  shards_[shard].records.ForEach([&](const std::string& record_key, const Record& record) {
    const bool fits = !record.expired_at(answer.now) && filter.Fits(record_key, record, answer.now);
    if (fits) answer.found.push_back({record_key, record});
  });
  if (shard + 1 < kShards) answer.cursor = std::to_string(shard + 1);
  return answer;
}

Ticket MemoryStoreClient::List(const RecordFilter& filter, std::string_view cursor,
                               OnListed on_answer) {
  auto [ticket, completion] = Ask<Result<RecordPage>>(std::move(on_answer));
  std::size_t shard = 0;
  const char* const end = cursor.data() + cursor.size();
  const auto read = std::from_chars(cursor.data(), end, shard);
  const bool is_mine = cursor.empty() || (read.ec == std::errc() && read.ptr == end);
  if (is_mine && shard < MemoryStore::kShards) {
    Answer<Result<RecordPage>>(std::move(completion), store_.List(filter, shard));
  } else {
    Answer<Result<RecordPage>>(std::move(completion), ports::NoSuchCursor());
  }
  return std::move(ticket);
}

Ticket MemoryStoreClient::ReadNote(std::string_view name, OnNote on_answer) {
  auto [ticket, completion] = Ask<Result<NoteResult>>(std::move(on_answer));
  const std::lock_guard lock(store_.notes_mutex_);
  NoteResult answer;
  if (const auto at = store_.notes_.find(name); at != store_.notes_.end()) {
    answer.value = at->second;
  }
  Answer<Result<NoteResult>>(std::move(completion), std::move(answer));
  return std::move(ticket);
}

Ticket MemoryStoreClient::WriteNote(std::string_view name,
                                    const std::optional<std::string>& replaces,
                                    std::string_view value, OnNote on_answer) {
  auto [ticket, completion] = Ask<Result<NoteResult>>(std::move(on_answer));
  const std::lock_guard lock(store_.notes_mutex_);
  std::optional<std::string> there;
  if (const auto at = store_.notes_.find(name); at != store_.notes_.end()) there = at->second;
  NoteResult answer = store::WriteNote(std::move(there), replaces, value);
  if (answer.written) store_.notes_.insert_or_assign(std::string(name), *answer.value);
  Answer<Result<NoteResult>>(std::move(completion), std::move(answer));
  return std::move(ticket);
}

void MemoryStoreClient::DoBegin(BeginRequest question, std::optional<LimitResult> verdict,
                                BeginCompletion completion) {
  BeginResult answer = store_.Apply(question.record_key, [&](StoredRecord present, StoreTime now) {
    if (state_.withdrawals.Holds(question.claim.token, now)) {
      return BeginStep{{BeginResult::Kind::kWithdrawn, {}, now, {}}, {}, {}};
    }
    return store::Begin(std::move(present), question.claim, question.replaces, now);
  });
  answer.limit = verdict;
  Answer<Result<BeginResult>>(std::move(completion), std::move(answer));
}

void MemoryStoreClient::DoSettle(std::string record_key, SettleFunction step,
                                 SettleCompletion completion) {
  TransitionResult answer = store_.Apply(record_key, step);
  Answer<Result<TransitionResult>>(std::move(completion), std::move(answer));
}

void MemoryStoreClient::DoLookUp(std::string record_key, LookUpFunction step,
                                 LookUpCompletion completion) {
  LookUpReservation answer = store_.Apply(record_key, step);
  Answer<Result<LookUpReservation>>(std::move(completion), std::move(answer));
}

}  // namespace idem::store

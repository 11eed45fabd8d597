#include "proxy/store/memory/memory_store.h"

#include <charconv>
#include <utility>

#include "proxy/base/invariant.h"

namespace idem::store {

using idempotency::Record;
using ports::BeginRequest;
using ports::BeginResult;
using ports::LimitResult;
using ports::NoteResult;
using ports::RecordFilter;
using ports::RecordPage;

std::size_t MemoryStore::size() const {
  std::size_t size = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    size += shard.records.size();
  }
  return size;
}

template <class StepFunction>
auto MemoryStore::Run(std::string_view record_key, StepFunction&& step) {
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

NoteResult MemoryStore::ReadNote(std::string_view name) {
  const std::lock_guard lock(notes_mutex_);
  NoteResult result;
  if (const auto at = notes_.find(name); at != notes_.end()) result.value = at->second;
  return result;
}

NoteResult MemoryStore::WriteNote(std::string_view name, const std::optional<std::string>& replaces,
                                  std::string_view value) {
  const std::lock_guard lock(notes_mutex_);
  std::optional<std::string> present;
  if (const auto at = notes_.find(name); at != notes_.end()) present = at->second;
  NoteResult result = store::WriteNote(std::move(present), replaces, value);
  if (result.written) notes_.insert_or_assign(std::string(name), *result.value);
  return result;
}

Ticket MemoryStoreClient::List(const RecordFilter& filter, std::string_view cursor,
                               OnListed on_listed) {
  auto [ticket, completion] = Ask<Result<RecordPage>>(std::move(on_listed));
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

Ticket MemoryStoreClient::Read(std::string_view name, OnNote on_note) {
  auto [ticket, completion] = Ask<Result<NoteResult>>(std::move(on_note));
  Answer<Result<NoteResult>>(std::move(completion), store_.ReadNote(name));
  return std::move(ticket);
}

Ticket MemoryStoreClient::Write(std::string_view name, const std::optional<std::string>& replaces,
                                std::string_view value, OnNote on_note) {
  auto [ticket, completion] = Ask<Result<NoteResult>>(std::move(on_note));
  Answer<Result<NoteResult>>(std::move(completion), store_.WriteNote(name, replaces, value));
  return std::move(ticket);
}

void MemoryStoreClient::RunBegin(BeginRequest request, std::optional<LimitResult> verdict,
                                 BeginCompletion completion) {
  BeginResult answer = store_.Run(request.record_key, [&](StoredRecord present, StoreTime now) {
    if (state_.withdrawals.Holds(request.claim.token, now)) {
      return BeginStep{{BeginResult::Kind::kWithdrawn, {}, now, {}}, {}, {}};
    }
    return store::Begin(std::move(present), request.claim, request.replaces, now);
  });
  answer.limit = verdict;
  Answer<Result<BeginResult>>(std::move(completion), std::move(answer));
}

template <class Value>
void MemoryStoreClient::RunTask(Task<Value> task) {
  Value answer = store_.Run(task.record_key, task.step);
  Answer<Result<Value>>(std::move(task.completion), std::move(answer));
}

}  // namespace idem::store

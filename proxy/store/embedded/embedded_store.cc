#include "proxy/store/embedded/embedded_store.h"

#include <cstring>
#include <span>
#include <utility>

#include "proxy/base/hex.h"
#include "proxy/base/invariant.h"
#include "proxy/base/log.h"
#include "proxy/idempotency/key.h"
#include "proxy/store/unreadable_record.h"

namespace idem::store {

using idempotency::RecordState;
using ports::BeginRequest;
using ports::BeginResult;
using ports::LimitResult;
using ports::NoteResult;
using ports::RecordFilter;
using ports::RecordPage;

namespace {

constexpr std::string_view kIncarnationNote{"\0incarnation", 12};

std::span<std::uint8_t> AsBytes(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

/// A note consists of eight bytes, little-endian.
Result<std::optional<std::int64_t>> ReadNote(const EmbeddedDisk& disk, std::string_view name) {
  std::string bytes;
  Result<EmbeddedDisk::Found> found = disk.Get(name, EmbeddedDisk::From::kAnywhere, bytes);
  if (!found) return std::move(found).error();
  if (*found == EmbeddedDisk::Found::kNo) return std::optional<std::int64_t>();
  std::int64_t note = 0;
  if (bytes.size() != sizeof note) {
    return Error{ErrorCode::kCorrupt, "the embedded store's notes about itself are damaged"};
  }
  std::memcpy(&note, bytes.data(), sizeof note);
  return std::optional(note);
}

void PutNote(EmbeddedDisk& disk, std::string_view name, std::int64_t note) {
  char bytes[sizeof note];
  std::memcpy(bytes, &note, sizeof note);
  disk.Put(name, StoreTime{}, {bytes, sizeof bytes});
}

/// A full disk may have room for the start once the reserve of an earlier process is given up.
Result<std::unique_ptr<EmbeddedDisk>> OpenDisk(const EmbeddedDisk::Options& options,
                                               EmbeddedFolder& folder) {
  auto disk = EmbeddedDisk::Open(options);
  if (!disk && disk.error().code == ErrorCode::kRefused && folder.GiveUpReserve()) {
    return EmbeddedDisk::Open(options);
  }
  return disk;
}

/// A cursor is the last key that was read, in hexadecimal.
Result<RecordPage> ListOnePage(const EmbeddedDisk& disk, const EmbeddedWriter& writer,
                               const EmbeddedClock& clock, const RecordFilter& filter,
                               std::string_view cursor) {
  constexpr std::size_t kRecords = 1000;
  constexpr std::size_t kBytes = 8 << 20;
  std::string after(cursor.size() / 2, '\0');
  if (!FromHex(cursor, AsBytes(after))) return ports::NoSuchCursor();
  RecordPage answer;
  answer.now = clock.Now();
  std::size_t records = 0;
  std::size_t bytes_read = 0;
  std::string last;
  const auto visit = [&](std::string_view key, std::string_view bytes) {
    last = key;
    bytes_read += bytes.size();
    const bool is_cheap = filter.key_hash.empty() || idempotency::KeyHash(key) == filter.key_hash;
    if (is_cheap) {
      auto read = writer.Interpret(bytes);
      if (!read) TellUnreadable(key, read.error());
      const bool fits = read && read->record && filter.Fits(key, *read->record, answer.now);
      if (fits) answer.found.push_back({std::string(key), std::move(*read->record)});
    }
    return ++records < kRecords && bytes_read < kBytes;
  };
  const Result<bool> ended = disk.Walk(after, visit);
  if (!ended) return ended.error();
  if (!*ended) answer.cursor = ToHex(AsBytes(last));
  return answer;
}

bool IsNewClaim(const BeginStep& step) { return step.change == RecordWrite::kWrite; }
template <class Answer>
bool IsNewClaim(const Step<Answer>&) {
  return false;
}

template <class Answer>
class StepJob final : public EmbeddedJob {
 public:
  using StepFunction = Function<Step<Answer>(StoredRecord, StoreTime)>;

  StepJob(EmbeddedAsker& asker, std::string key, StepFunction step,
          Completion<Result<Answer>> completion)
      : EmbeddedJob(asker, std::move(key)),
        step_(std::move(step)),
        completion_(std::move(completion)) {}

  Effect Run(StoredRecord present, StoreTime now, const std::optional<Error>& refusal) override {
    Step<Answer> made = step_(std::move(present), now);
    if (refusal && IsNewClaim(made)) return Fail(*refusal), Effect{};
    answer_ = std::move(made.answer);
    return {made.change, std::move(made.record)};
  }
  void Fail(const Error& error) override { answer_ = error; }
  void Deliver() override {
    INVARIANT(answer_.has_value());
    completion_(std::move(*answer_));
  }

 private:
  StepFunction step_;
  Completion<Result<Answer>> completion_;
  std::optional<Result<Answer>> answer_;
};

}  // namespace

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::Open(const StoreOptions& options,
                                                           const EmbeddedEnvironment& world) {
  std::unique_ptr<EmbeddedStore> store(new EmbeddedStore());
  auto folder = EmbeddedFolder::Own(options.path, world.keep_waiting, world.free_bytes);
  if (!folder) return std::move(folder).error();
  store->folder_ = std::move(*folder);
  store->folder_->MakeReserve();

  store->clock_ = std::make_unique<EmbeddedClock>(world.calendar, world.boot);
  const auto has_expired = [clock = store->clock_.get()](StoreTime at) {
    return clock->HasExpired(at);
  };
  auto disk = OpenDisk(
      {store->folder_->records(), options.durability == Durability::kFsync, world.env, has_expired},
      *store->folder_);
  if (!disk) return std::move(disk).error();
  store->disk_ = std::move(*disk);

  auto incarnation = ReadNote(*store->disk_, kIncarnationNote);
  if (!incarnation) return std::move(incarnation).error();
  auto stamp = ReadNote(*store->disk_, EmbeddedWriter::kStampNote);
  if (!stamp) return std::move(stamp).error();
  std::optional<StoreTime> newest;
  if (*stamp) newest = StoreTime(std::chrono::milliseconds(**stamp));
  if (const auto wrong = store->clock_->Start(newest)) {
    log::Write(
        log::Level::kWarn, "store_clock",
        {{"detail", std::string_view(*wrong)}, {"effect", "for one hour nothing more expires"}});
  }

  const std::int64_t mine = incarnation->value_or(0) + 1;
  PutNote(*store->disk_, kIncarnationNote, mine);
  PutNote(*store->disk_, EmbeddedWriter::kStampNote,
          store->clock_->Now().time_since_epoch().count());
  if (Status noted = store->disk_->Commit(); !noted) return std::move(noted).error();
  store->writer_ =
      std::make_unique<EmbeddedWriter>(*store->disk_, *store->folder_, *store->clock_,
                                       static_cast<std::uint64_t>(mine), options.max_size);
  store->notes_ = std::make_unique<EmbeddedNotes>(store->folder_->notes());
  return store;
}

EmbeddedStoreClient::EmbeddedStoreClient(EmbeddedStore& store, Loop& loop)
    : LocalClient(store.state(), loop), store_(store) {
  asker_.loop = &loop;
  tasks_.loop = &loop;
}

EmbeddedStoreClient::~EmbeddedStoreClient() {
  store_.writer().Leave(asker_);
  store_.tasks().Leave(tasks_);
}

void EmbeddedStoreClient::RunBegin(BeginRequest request, std::optional<LimitResult> verdict,
                                   BeginCompletion completion) {
  if (StoredRecord completed = ReadCompleted(request.record_key)) {
    Answer<Result<BeginResult>>(
        std::move(completion),
        BeginResult{BeginResult::Kind::kHeld, std::move(completed), Now(), verdict});
    return;
  }
  if (store_.writer().is_full()) {
    Answer<Result<BeginResult>>(
        std::move(completion),
        Error{ErrorCode::kUnavailable, "too many questions wait for the embedded store"});
    return;
  }
  std::string key = std::move(request.record_key);
  auto step = [this, claim = std::move(request.claim), replaces = request.replaces, verdict](
                  StoredRecord present, StoreTime now) {
    if (state_.withdrawals.Holds(claim.token, now)) {
      return BeginStep{{BeginResult::Kind::kWithdrawn, {}, now, {}}, {}, {}};
    }
    BeginStep made = store::Begin(std::move(present), claim, replaces, now);
    made.answer.limit = verdict;
    return made;
  };
  store_.writer().Ask(std::make_unique<StepJob<BeginResult>>(
      asker_, std::move(key), std::move(step), std::move(completion)));
}

template <class Value>
void EmbeddedStoreClient::RunTask(Task<Value> task) {
  store_.writer().Ask(std::make_unique<StepJob<Value>>(
      asker_, std::move(task.record_key), std::move(task.step), std::move(task.completion)));
}

template <class Value>
Ticket EmbeddedStoreClient::Send(Function<void(Result<Value>)> on_answer,
                                 Function<Result<Value>()> task) {
  auto [ticket, completion] = Ask<Result<Value>>(std::move(on_answer));
  if (store_.tasks().is_full()) {
    Answer<Result<Value>>(
        std::move(completion),
        Error{ErrorCode::kUnavailable, "too many lists wait for the embedded store"});
    return std::move(ticket);
  }
  store_.tasks().Run(
      tasks_,
      [completion = std::move(completion), run = std::move(task)]() mutable -> Function<void()> {
        return [completion = std::move(completion), answer = run()]() mutable {
          completion(std::move(answer));
        };
      });
  return std::move(ticket);
}

Ticket EmbeddedStoreClient::List(const RecordFilter& filter, std::string_view cursor,
                                 OnListed on_listed) {
  return Send<RecordPage>(std::move(on_listed), [this, filter, after = std::string(cursor)] {
    return ListOnePage(store_.disk(), store_.writer(), store_.clock(), filter, after);
  });
}

Ticket EmbeddedStoreClient::Read(std::string_view name, OnNote on_note) {
  return Send<NoteResult>(std::move(on_note),
                          [this, note = std::string(name)]() -> Result<NoteResult> {
                            auto present = store_.notes().Read(note);
                            if (!present) return std::move(present).error();
                            return NoteResult{false, std::move(*present)};
                          });
}

Ticket EmbeddedStoreClient::Write(std::string_view name, const std::optional<std::string>& replaces,
                                  std::string_view value, OnNote on_note) {
  return Send<NoteResult>(std::move(on_note),
                          [this, note = std::string(name), replaces,
                           next = std::string(value)]() -> Result<NoteResult> {
                            auto present = store_.notes().Read(note);
                            if (!present) return std::move(present).error();
                            NoteResult answer =
                                store::WriteNote(std::move(*present), replaces, next);
                            if (!answer.written) return answer;
                            if (Status written = store_.notes().Write(note, next); !written)
                              return written.error();
                            return answer;
                          });
}

/// A completed record is never overwritten, so it may be read beside the writer.
StoredRecord EmbeddedStoreClient::ReadCompleted(std::string_view record_key) const {
  auto read = store_.writer().Read(record_key, EmbeddedDisk::From::kMemory);
  const bool is_completed = read && read->record && read->record->state == RecordState::kCompleted;
  return is_completed ? std::move(read->record) : std::nullopt;
}

}  // namespace idem::store

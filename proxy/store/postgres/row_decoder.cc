#include "proxy/store/postgres/row_decoder.h"

#include <charconv>
#include <limits>
#include <utility>

#include "proxy/idempotency/record_codec.h"
#include "proxy/store/unreadable_record.h"

namespace idem::store {
namespace {

using ports::BeginResult;
using ports::LimitResult;
using ports::LookUpReservation;
using ports::RecordPage;
using ports::TransitionResult;

// The columns of PostgresStepsSql().
enum Column : std::size_t { kWord, kClock, kAllowed, kRemaining, kReset, kRecord };

Error Unexpected(const char* what) {
  return {ErrorCode::kCorrupt,
          std::string("PostgreSQL: a step answered something unexpected as its ") + what +
              "; is another version using the same tables?"};
}

std::optional<std::int64_t> NumberOf(const std::optional<std::string_view>& text) {
  std::int64_t number = 0;
  if (!text) return {};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 0) return {};
  return number;
}

Result<StoreTime> ReadTime(const PostgresStepRow& answer) {
  const auto number = NumberOf(answer.Value(kClock));
  if (!number) return Unexpected("time");
  return StoreTime(std::chrono::milliseconds(*number));
}

Result<idempotency::Record> ReadRecord(const PostgresStepRow& answer) {
  const auto bytes = answer.Value(kRecord);
  if (!bytes) return Unexpected("record");
  return idempotency::Decode(*bytes);
}

}  // namespace

Result<LimitResult> ReadVerdict(const PostgresStepRow& answer) {
  const auto allowed = NumberOf(answer.Value(kAllowed));
  const auto remaining = NumberOf(answer.Value(kRemaining));
  const auto reset = NumberOf(answer.Value(kReset));
  const bool well_formed = allowed && remaining && reset && *allowed <= 1 &&
                           *remaining <= std::numeric_limits<std::uint32_t>::max();
  if (!well_formed) return Unexpected("verdict");
  return LimitResult{.allowed = *allowed == 1,
                     .remaining = static_cast<std::uint32_t>(*remaining),
                     .reset = std::chrono::milliseconds(*reset)};
}

Result<BeginResult> ReadBeginAnswer(const PostgresStepRow& from, bool limited) {
  const std::string_view word = from.Value(kWord).value_or("");
  const Result<StoreTime> now = ReadTime(from);
  if (!now) return now.error();
  BeginResult answer;
  answer.now = *now;
  if (word == "withdrawn") {
    answer.kind = BeginResult::Kind::kWithdrawn;
    return answer;
  }
  if (limited) {
    Result<LimitResult> verdict = ReadVerdict(from);
    if (!verdict) return verdict.error();
    answer.limit = *verdict;
  }
  const bool allowed = !limited || answer.limit->allowed;
  if (word == "limited" && !allowed) {
    answer.kind = BeginResult::Kind::kLimited;
    return answer;
  }
  if (word == "claimed" && allowed) {
    answer.kind = BeginResult::Kind::kClaimed;
    return answer;
  }
  if (word != "held" || !allowed) return Unexpected("answer to a begin");
  Result<idempotency::Record> record = ReadRecord(from);
  if (!record) return record.error();
  answer.kind = BeginResult::Kind::kHeld;
  answer.record = std::move(*record);
  return answer;
}

Result<TransitionResult> ReadSettleAnswer(const PostgresStepRow& from) {
  const std::string_view word = from.Value(kWord).value_or("");
  const Result<StoreTime> now = ReadTime(from);
  if (!now) return now.error();
  TransitionResult answer;
  answer.now = *now;
  if (word == "done") {
    answer.kind = TransitionResult::Kind::kDone;
  } else if (word == "gone") {
    answer.kind = TransitionResult::Kind::kGone;
  } else if (word == "rewritten") {
    answer.kind = TransitionResult::Kind::kRewritten;
  } else if (word == "held") {
    Result<idempotency::Record> record = ReadRecord(from);
    if (!record) return record.error();
    answer.kind = TransitionResult::Kind::kHeld;
    answer.record = std::move(*record);
  } else {
    return Unexpected("answer to a transition");
  }
  return answer;
}

Result<LookUpReservation> ReadLookUpAnswer(const PostgresStepRow& from) {
  const std::string_view word = from.Value(kWord).value_or("");
  const Result<StoreTime> now = ReadTime(from);
  if (!now) return now.error();
  LookUpReservation answer;
  answer.now = *now;
  if (word == "granted") {
    answer.kind = LookUpReservation::Kind::kGranted;
  } else if (word == "taken") {
    const auto pause = NumberOf(from.Value(kReset));
    if (!pause) return Unexpected("pause");
    answer.kind = LookUpReservation::Kind::kTaken;
    answer.retry_after = std::chrono::milliseconds(*pause);
  } else if (word == "changed") {
    answer.kind = LookUpReservation::Kind::kChanged;
    if (!from.Value(kRecord)) return answer;
    Result<idempotency::Record> record = ReadRecord(from);
    if (!record) return record.error();
    answer.record = std::move(*record);
  } else {
    return Unexpected("answer to a look-up");
  }
  return answer;
}

Result<RecordPage> ReadListAnswer(const libpq::Rows& rows, const ports::RecordFilter& filter,
                                  std::string_view prefix) {
  RecordPage answer;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.Text(row, 0) != "step") continue;
    const auto now = NumberOf(rows.Value(row, 1));
    if (!now) return Unexpected("time");
    answer.now = StoreTime(std::chrono::milliseconds(*now));
    answer.cursor = rows.Value(row, 2).value_or("");
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.Text(row, 0) != "record") continue;
    const std::string_view key = rows.Text(row, 1);
    if (!key.starts_with(prefix)) return Unexpected("key");
    std::string record_key(key.substr(prefix.size()));
    Result<idempotency::Record> record = idempotency::Decode(rows.Text(row, 2));
    if (!record) {
      TellUnreadable(record_key, record.error());
    } else if (filter.Fits(record_key, *record, answer.now)) {
      answer.found.push_back({std::move(record_key), std::move(*record)});
    }
  }
  return answer;
}

ports::NoteResult ReadNoteAnswer(const libpq::Rows& rows) {
  ports::NoteResult answer;
  answer.written = rows.Text(0, 0) == "true";
  if (const auto value = rows.Value(0, 1)) answer.value = std::string(*value);
  return answer;
}

}  // namespace idem::store

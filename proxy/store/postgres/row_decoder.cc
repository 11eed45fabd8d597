#include "proxy/store/postgres/row_decoder.h"

#include <charconv>
#include <limits>
#include <utility>

#include "proxy/idempotency/record_codec.h"
#include "proxy/store/remote/step_words.h"
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
  const std::optional<BeginResult::Kind> kind = BeginKindOf(word);
  if (!kind) return Unexpected("answer to a begin");
  answer.kind = *kind;
  if (answer.kind == BeginResult::Kind::kWithdrawn) return answer;
  if (limited) {
    Result<LimitResult> verdict = ReadVerdict(from);
    if (!verdict) return verdict.error();
    answer.limit = *verdict;
  }
  const bool refused = limited && !answer.limit->allowed;
  if (refused != (answer.kind == BeginResult::Kind::kLimited)) {
    return Unexpected("answer to a begin");
  }
  if (answer.kind != BeginResult::Kind::kHeld) return answer;
  Result<idempotency::Record> record = ReadRecord(from);
  if (!record) return record.error();
  answer.record = std::move(*record);
  return answer;
}

Result<TransitionResult> ReadSettleAnswer(const PostgresStepRow& from) {
  const std::string_view word = from.Value(kWord).value_or("");
  const Result<StoreTime> now = ReadTime(from);
  if (!now) return now.error();
  TransitionResult answer;
  answer.now = *now;
  const std::optional<TransitionResult::Kind> kind = TransitionKindOf(word);
  if (!kind) return Unexpected("answer to a transition");
  answer.kind = *kind;
  if (answer.kind != TransitionResult::Kind::kHeld) return answer;
  Result<idempotency::Record> record = ReadRecord(from);
  if (!record) return record.error();
  answer.record = std::move(*record);
  return answer;
}

Result<LookUpReservation> ReadLookUpAnswer(const PostgresStepRow& from) {
  const std::string_view word = from.Value(kWord).value_or("");
  const Result<StoreTime> now = ReadTime(from);
  if (!now) return now.error();
  LookUpReservation answer;
  answer.now = *now;
  const std::optional<LookUpReservation::Kind> kind = LookUpKindOf(word);
  if (!kind) return Unexpected("answer to a look-up");
  answer.kind = *kind;
  if (answer.kind == LookUpReservation::Kind::kTaken) {
    const auto retry_after = NumberOf(from.Value(kReset));
    if (!retry_after) return Unexpected("pause");
    answer.retry_after = std::chrono::milliseconds(*retry_after);
  }
  if (answer.kind == LookUpReservation::Kind::kChanged && from.Value(kRecord)) {
    Result<idempotency::Record> record = ReadRecord(from);
    if (!record) return record.error();
    answer.record = std::move(*record);
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

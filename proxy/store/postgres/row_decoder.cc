#include "proxy/store/postgres/row_decoder.h"

#include <charconv>
#include <utility>

#include "proxy/idempotency/record_codec.h"
#include "proxy/store/remote/step_decoder.h"
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

class RowOutcome final : public StepOutcome {
 public:
  explicit RowOutcome(const PostgresStepRow& row) : row_(row) {}

  std::optional<std::string_view> word() const override { return row_.Value(kWord); }
  std::optional<std::int64_t> time_ms() const override { return NumberOf(row_.Value(kClock)); }
  std::optional<std::int64_t> pause_ms() const override { return NumberOf(row_.Value(kReset)); }
  Result<LimitResult> ReadVerdict() const override { return store::ReadVerdict(row_); }
  bool has_record() const override { return row_.Value(kRecord).has_value(); }
  Result<idempotency::Record> ReadRecord() const override {
    const auto bytes = row_.Value(kRecord);
    if (!bytes) return store::Unexpected("record");
    return idempotency::Decode(*bytes);
  }
  Error Unexpected(const char* what) const override { return store::Unexpected(what); }

 private:
  const PostgresStepRow& row_;
};

}  // namespace

Result<LimitResult> ReadVerdict(const PostgresStepRow& answer) {
  const auto verdict =
      DecodeVerdict(NumberOf(answer.Value(kAllowed)), NumberOf(answer.Value(kRemaining)),
                    NumberOf(answer.Value(kReset)));
  if (!verdict) return Unexpected("verdict");
  return *verdict;
}

Result<BeginResult> ReadBeginAnswer(const PostgresStepRow& answer, bool limited) {
  return DecodeBegin(RowOutcome(answer), limited);
}

Result<TransitionResult> ReadSettleAnswer(const PostgresStepRow& answer) {
  return DecodeTransition(RowOutcome(answer));
}

Result<LookUpReservation> ReadLookUpAnswer(const PostgresStepRow& answer) {
  return DecodeLookUp(RowOutcome(answer));
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

#include "proxy/store/redis/reply_decoder.h"

#include <utility>

#include "proxy/idempotency/record_codec.h"
#include "proxy/store/remote/step_decoder.h"
#include "proxy/store/unreadable_record.h"

namespace idem::store {
namespace {

using ports::BeginResult;
using ports::LimitResult;
using ports::LookUpReservation;
using ports::NoteResult;
using ports::TransitionResult;

Error Unexpected(const char* what) {
  return {ErrorCode::kCorrupt,
          std::string("Redis: a script answered something unexpected as its ") + what +
              "; is another version writing to the same prefix?"};
}

Result<StoreTime> ReadTime(RedisValue value) {
  const auto number = value.integer();
  if (!number || *number < 0) return Unexpected("time");
  return StoreTime(std::chrono::milliseconds(*number));
}

Result<idempotency::Record> ReadRecord(RedisValue value) {
  const auto bytes = value.text();
  if (!bytes) return Unexpected("record");
  return idempotency::Decode(*bytes);
}

// {WORD, TIME, ...}; a begin has a verdict before its record.
class ReplyOutcome final : public StepOutcome {
 public:
  ReplyOutcome(RedisValue reply, std::size_t record) : reply_(reply), record_(reply.at(record)) {}

  std::optional<std::string_view> word() const override { return reply_.at(0).text(); }
  std::optional<std::int64_t> time_ms() const override { return NumberOf(reply_.at(1)); }
  std::optional<std::int64_t> pause_ms() const override { return NumberOf(reply_.at(2)); }
  Result<LimitResult> ReadVerdict() const override { return store::ReadVerdict(reply_.at(2)); }
  bool has_record() const override { return reply_.size() > 2 && !record_.nil(); }
  Result<idempotency::Record> ReadRecord() const override { return store::ReadRecord(record_); }
  Error Unexpected(const char* what) const override { return store::Unexpected(what); }

 private:
  static std::optional<std::int64_t> NumberOf(RedisValue value) {
    const auto number = value.integer();
    return number && *number >= 0 ? number : std::nullopt;
  }

  RedisValue reply_;
  RedisValue record_;
};

}  // namespace

Result<LimitResult> ReadVerdict(RedisValue reply) {
  const auto verdict =
      DecodeVerdict(reply.at(0).integer(), reply.at(1).integer(), reply.at(2).integer());
  if (!verdict || reply.size() != 3) return Unexpected("verdict");
  return *verdict;
}

Result<BeginResult> ReadBeginAnswer(RedisValue reply, bool limited) {
  return DecodeBegin(ReplyOutcome(reply, 3), limited);
}

Result<TransitionResult> ReadSettleAnswer(RedisValue reply) {
  return DecodeTransition(ReplyOutcome(reply, 2));
}

Result<LookUpReservation> ReadLookUpAnswer(RedisValue reply) {
  return DecodeLookUp(ReplyOutcome(reply, 2));
}

Result<NoteResult> ReadNoteAnswer(RedisValue reply) {
  const auto written = reply.at(0).integer();
  if (!written) return Unexpected("answer about a note");
  NoteResult answer;
  answer.written = *written == 1;
  if (const auto value = reply.at(1).text()) answer.value = *value;
  return answer;
}

Result<RedisPage> ReadPage(RedisValue reply, std::string_view prefix) {
  const auto cursor = reply.at(0).text();
  const Result<StoreTime> now = ReadTime(reply.at(1));
  if (!cursor || !now) return Unexpected("page");
  RedisPage page;
  page.now = *now;
  if (*cursor != "0") page.cursor = *cursor;
  for (std::size_t i = 2; i < reply.size(); ++i) {
    const auto key = reply.at(i).at(0).text();
    if (!key || !key->starts_with(prefix)) return Unexpected("page");
    RedisPage::Entry entry{std::string(key->substr(prefix.size())), {}};
    if (reply.at(i).at(1).text()) {
      Result<idempotency::Record> record = ReadRecord(reply.at(i).at(1));
      if (!record) {
        TellUnreadable(entry.record_key, record.error());
        continue;
      }
      entry.record = std::move(*record);
    }
    page.entries.push_back(std::move(entry));
  }
  return page;
}

}  // namespace idem::store

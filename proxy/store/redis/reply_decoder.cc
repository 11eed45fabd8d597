#include "proxy/store/redis/reply_decoder.h"

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

}  // namespace

Result<LimitResult> ReadVerdict(RedisValue reply) {
  const auto allowed = reply.at(0).integer();
  const auto remaining = reply.at(1).integer();
  const auto reset = reply.at(2).integer();
  const bool well_formed = reply.size() == 3 && allowed && remaining && reset &&
                           (*allowed == 0 || *allowed == 1) && *remaining >= 0 &&
                           *remaining <= std::numeric_limits<std::uint32_t>::max() && *reset >= 0;
  if (!well_formed) return Unexpected("verdict");
  return LimitResult{.allowed = *allowed == 1,
                     .remaining = static_cast<std::uint32_t>(*remaining),
                     .reset = std::chrono::milliseconds(*reset)};
}

Result<BeginResult> ReadBeginAnswer(RedisValue reply, bool limited) {
  const auto word = reply.at(0).text();
  const Result<StoreTime> now = ReadTime(reply.at(1));
  if (!word || !now) return Unexpected("beginning");
  BeginResult answer;
  answer.now = *now;
  const std::optional<BeginResult::Kind> kind = BeginKindOf(*word);
  if (!kind) return Unexpected("answer to a begin");
  answer.kind = *kind;
  if (answer.kind == BeginResult::Kind::kWithdrawn) return answer;
  if (limited) {
    Result<LimitResult> verdict = ReadVerdict(reply.at(2));
    if (!verdict) return verdict.error();
    answer.limit = *verdict;
  }
  const bool refused = limited && !answer.limit->allowed;
  if (refused != (answer.kind == BeginResult::Kind::kLimited)) {
    return Unexpected("answer to a begin");
  }
  if (answer.kind != BeginResult::Kind::kHeld) return answer;
  Result<idempotency::Record> record = ReadRecord(reply.at(3));
  if (!record) return record.error();
  answer.record = std::move(*record);
  return answer;
}

Result<TransitionResult> ReadSettleAnswer(RedisValue reply) {
  const auto word = reply.at(0).text();
  const Result<StoreTime> now = ReadTime(reply.at(1));
  if (!word || !now) return Unexpected("beginning");
  TransitionResult answer;
  answer.now = *now;
  const std::optional<TransitionResult::Kind> kind = TransitionKindOf(*word);
  if (!kind) return Unexpected("answer to a transition");
  answer.kind = *kind;
  if (answer.kind != TransitionResult::Kind::kHeld) return answer;
  Result<idempotency::Record> record = ReadRecord(reply.at(2));
  if (!record) return record.error();
  answer.record = std::move(*record);
  return answer;
}

Result<LookUpReservation> ReadLookUpAnswer(RedisValue reply) {
  const auto word = reply.at(0).text();
  const Result<StoreTime> now = ReadTime(reply.at(1));
  if (!word || !now) return Unexpected("beginning");
  LookUpReservation answer;
  answer.now = *now;
  const std::optional<LookUpReservation::Kind> kind = LookUpKindOf(*word);
  if (!kind) return Unexpected("answer to a look-up");
  answer.kind = *kind;
  if (answer.kind == LookUpReservation::Kind::kTaken) {
    const auto retry_after = reply.at(2).integer();
    if (!retry_after || *retry_after < 0) return Unexpected("pause");
    answer.retry_after = std::chrono::milliseconds(*retry_after);
  }
  if (answer.kind == LookUpReservation::Kind::kChanged && reply.size() >= 3 && !reply.at(2).nil()) {
    Result<idempotency::Record> record = ReadRecord(reply.at(2));
    if (!record) return record.error();
    answer.record = std::move(*record);
  }
  return answer;
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

#include "proxy/store/remote/step_decoder.h"

#include <doctest/doctest.h>

#include <string>

namespace idem::store {

using std::chrono::milliseconds;

namespace {

class Outcome final : public StepOutcome {
 public:
  Outcome(std::optional<std::string_view> word, std::optional<std::int64_t> time)
      : word_(word), time_(time) {}

  std::optional<std::string_view> word() const override { return word_; }
  std::optional<std::int64_t> time_ms() const override { return time_; }
  std::optional<std::int64_t> pause_ms() const override { return pause; }
  Result<ports::LimitResult> ReadVerdict() const override {
    if (!verdict) return Unexpected("verdict");
    return *verdict;
  }
  bool has_record() const override { return record.has_value(); }
  Result<idempotency::Record> ReadRecord() const override {
    if (!record) return Unexpected("record");
    return *record;
  }
  Error Unexpected(const char* what) const override { return {ErrorCode::kCorrupt, what}; }

  std::optional<std::int64_t> pause;
  std::optional<ports::LimitResult> verdict;
  std::optional<idempotency::Record> record;

 private:
  std::optional<std::string_view> word_;
  std::optional<std::int64_t> time_;
};

// "" for a result, otherwise the detail of the error.
template <class Answer>
std::string ErrorOf(const Result<Answer>& answer) {
  return answer ? "" : answer.error().detail;
}

}  // namespace

TEST_CASE("a begin has a verdict if the request was counted, and a record if the key is held") {
  struct Row {
    const char* word;
    bool limited;
    std::optional<bool> allowed;
    bool record;
    const char* error;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"claimed", false, {}, false, ""},
           {"claimed", true, true, false, ""},
           {"claimed", true, false, false, "answer to a begin"},
           {"claimed", true, {}, false, "verdict"},
           {"held", false, {}, true, ""},
           {"held", false, {}, false, "record"},
           {"held", true, true, true, ""},
           {"held", true, false, true, "answer to a begin"},
           {"limited", true, false, false, ""},
           {"limited", true, true, false, "answer to a begin"},
           {"limited", false, {}, false, "answer to a begin"},
           {"withdrawn", true, {}, false, ""},
           {"withdrawn", false, {}, false, ""},
           {"done", false, {}, false, "answer to a begin"},
       }) {
    CAPTURE(row.word);
    CAPTURE(row.limited);
    Outcome outcome(row.word, 1000);
    if (row.allowed) outcome.verdict = ports::LimitResult{.allowed = *row.allowed};
    if (row.record) outcome.record.emplace();
    const auto begun = DecodeBegin(outcome, row.limited);
    CHECK(ErrorOf(begun) == row.error);
    if (!begun) continue;
    CHECK(begun->now == StoreTime(milliseconds(1000)));
    CHECK(begun->record.has_value() == row.record);
    CHECK(begun->limit.has_value() == row.allowed.has_value());
  }
}

TEST_CASE("a transition has a record only if the key is held") {
  using Kind = ports::TransitionResult::Kind;
  CHECK(DecodeTransition(Outcome("done", 1))->kind == Kind::kDone);
  CHECK(DecodeTransition(Outcome("rewritten", 1))->kind == Kind::kRewritten);
  CHECK(DecodeTransition(Outcome("gone", 1))->kind == Kind::kGone);
  CHECK(ErrorOf(DecodeTransition(Outcome("held", 1))) == "record");
  CHECK(ErrorOf(DecodeTransition(Outcome("claimed", 1))) == "answer to a transition");
  Outcome held("held", 1);
  held.record.emplace();
  CHECK(DecodeTransition(held)->record);
}

TEST_CASE("a look-up that is taken has a pause, and one that changed may have a record") {
  using Kind = ports::LookUpReservation::Kind;
  CHECK(DecodeLookUp(Outcome("granted", 1))->kind == Kind::kGranted);
  Outcome taken("taken", 1);
  CHECK(ErrorOf(DecodeLookUp(taken)) == "pause");
  taken.pause = 250;
  CHECK(DecodeLookUp(taken)->retry_after == milliseconds(250));
  Outcome changed("changed", 1);
  CHECK_FALSE(DecodeLookUp(changed)->record);
  changed.record.emplace();
  CHECK(DecodeLookUp(changed)->record);
  CHECK(ErrorOf(DecodeLookUp(Outcome("held", 1))) == "answer to a look-up");
}

TEST_CASE("an outcome without a time or a word is refused") {
  CHECK(ErrorOf(DecodeBegin(Outcome("claimed", {}), false)) == "time");
  CHECK(ErrorOf(DecodeTransition(Outcome("done", {}))) == "time");
  CHECK(ErrorOf(DecodeLookUp(Outcome("granted", {}))) == "time");
  CHECK(ErrorOf(DecodeBegin(Outcome({}, 1), false)) == "answer to a begin");
}

TEST_CASE("a verdict is 1 or 0, requests that remain and a time until more are free") {
  const auto verdict = DecodeVerdict(1, 4, 250);
  REQUIRE(verdict);
  CHECK(verdict->allowed);
  CHECK(verdict->remaining == 4);
  CHECK(verdict->reset == milliseconds(250));
  CHECK_FALSE(DecodeVerdict(0, 0, 0)->allowed);
  CHECK_FALSE(DecodeVerdict(2, 0, 0));
  CHECK_FALSE(DecodeVerdict(-1, 0, 0));
  CHECK_FALSE(DecodeVerdict(1, -1, 0));
  CHECK_FALSE(DecodeVerdict(1, std::int64_t{1} << 32, 0));
  CHECK_FALSE(DecodeVerdict(1, 0, -1));
  CHECK_FALSE(DecodeVerdict({}, 0, 0));
  CHECK_FALSE(DecodeVerdict(1, {}, 0));
  CHECK_FALSE(DecodeVerdict(1, 0, {}));
}

}  // namespace idem::store

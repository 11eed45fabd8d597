#include "proxy/store/postgres/batch_queue.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"
#include "proxy/store/postgres/statements.h"
#include "proxy/store/remote/question_queue.h"

namespace idem::store {
namespace {

using libpq::Array;
using std::chrono::milliseconds;

// A statement that takes that many timeouts is given up, together with its connection.
constexpr int kStatementTimeouts = 3;
constexpr milliseconds kStatementTimeoutMin(2000);  // to make the tables takes its time

// The database is not what it was when the connection was made: it takes no writes any more (class
// 25), or the tables are gone (class 42).
bool IsElsewhere(const Error& error) {
  return error.detail.find("(SQLSTATE 25") != error.detail.npos ||
         error.detail.find("(SQLSTATE 42") != error.detail.npos;
}

std::uint64_t NumberOf(const libpq::Rows& rows, std::size_t column) {
  const std::string_view digits = rows.Text(0, column);
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

PostgresBatches::PostgresBatches(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                                 libpq::Url url, const Options& options)
    : loop_(loop),
      options_(options),
      link_(loop, resolver, random, std::move(url),
            {.timeout = options.timeout,
             .require_durable = options.require_durable,
             .is_reporter = options.is_reporter,
             .statement_timeout =
                 std::max(kStatementTimeouts * options.timeout, kStatementTimeoutMin)},
            *this) {
  link_.Start();
  if (options.is_reporter) Sweep();
}

PostgresBatches::~PostgresBatches() = default;

// --- asking ---

void PostgresBatches::Ask(PostgresStepCall question) {
  if (auto why = UnavailableReason()) {
    loop_.Post([on_answer = std::move(question.on_answer), error = std::move(*why)]() mutable {
      on_answer(std::move(error));
    });
    return;
  }
  bytes_ += question.bytes();
  Entry entry;
  entry.question = std::move(question);
  entry.deadline = loop_.Now() + options_.timeout;
  waiting_.push_back(std::move(entry));
  SendLater();
  ArmTimer();
}

void PostgresBatches::Run(libpq::Statement statement, Function<void(Result<libpq::Rows>)> on_rows) {
  if (auto why = UnavailableReason()) {
    loop_.Post([on_rows = std::move(on_rows), error = std::move(*why)]() mutable {
      on_rows(std::move(error));
    });
    return;
  }
  singles_.push_back({std::move(statement), std::move(on_rows), loop_.Now() + options_.timeout});
  SendLater();
  ArmTimer();
}

std::optional<Error> PostgresBatches::UnavailableReason() const {
  if (full()) return link_.Fail(ErrorCode::kUnavailable, "has too many questions to answer");
  if (!link_.within_grace()) return link_.unavailable_reason();
  return {};
}

bool PostgresBatches::full() const {
  return waiting_.size() + running_.size() + singles_.size() >= options_.questions_max ||
         bytes_ >= options_.bytes_max;
}

// --- sending ---

// On a later turn: what else this turn asks for shares the statement.
void PostgresBatches::SendLater() {
  if (send_.open() || !link_.idle()) return;
  auto [ticket, completion] = idem::Ask<std::monostate>([this](std::monostate) { Send(); });
  send_ = std::move(ticket);
  loop_.Post([turn_end = std::move(completion)]() mutable { turn_end({}); });
}

void PostgresBatches::Send() {
  if (!link_.idle()) return;
  const bool its_turn = !single_was_last_ || waiting_.empty();
  if (!singles_.empty() && its_turn) return SendSingle();
  single_was_last_ = false;
  TakeBatch();
  if (running_.empty()) return;
  sent_ = loop_.Now();
  link_.Run(MakeStatement(), [this](Result<libpq::Rows> rows) { OnBatch(std::move(rows)); });
}

void PostgresBatches::TakeBatch() {
  INVARIANT(running_.empty());
  std::size_t bytes = 0;
  while (!waiting_.empty() && running_.size() < options_.batch_rows_max) {
    Entry& next = waiting_.front();
    const bool fits = bytes + next.question.bytes() <= options_.batch_bytes_max && !next.alone &&
                      !(running_.size() == 1 && running_.front().alone);
    if (!running_.empty() && !fits) return;
    bytes += next.question.bytes();
    running_.push_back(std::move(next));
    waiting_.pop_front();
  }
}

libpq::Statement PostgresBatches::MakeStatement() const {
  Array asks(Array::Of::kText), ids(Array::Of::kBytes), keys(Array::Of::kText),
      tokens(Array::Of::kText), replaced(Array::Of::kText), leases(Array::Of::kInt64),
      keeps(Array::Of::kInt64), rests(Array::Of::kBytes);
  Array subjects(Array::Of::kBytes), counted(Array::Of::kText), buckets(Array::Of::kInt64),
      requests(Array::Of::kInt64), pers(Array::Of::kInt64), bursts(Array::Of::kInt64);
  for (const Entry& entry : running_) {
    const PostgresStepCall& question = entry.question;
    asks.Add(question.ask);
    ids.Add(question.id);
    keys.Add(question.key);
    tokens.Add(question.token);
    replaced.Add(question.replaced);
    leases.AddInt64(question.lease_ms);
    keeps.AddInt64(question.keep_ms);
    rests.Add(question.rest);
    if (!question.limit) {
      for (Array* array : {&subjects, &counted, &buckets, &requests, &pers, &bursts}) {
        array->AddNull();
      }
      continue;
    }
    const ports::LimitRule& rule = question.limit->rule;
    subjects.Add(question.subject);
    counted.Add(question.limit->token.ToHex());
    buckets.AddInt64(rule.algorithm == ports::LimitAlgorithm::kTokenBucket ? 1 : 0);
    requests.AddInt64(rule.requests);
    pers.AddInt64(rule.per.count());
    bursts.AddInt64(rule.burst);
  }
  libpq::Statement statement;
  statement.sql = PostgresStepsSql();
  statement.binary_rows = true;
  for (Array* array : {&asks, &ids, &keys, &tokens, &replaced, &leases, &keeps, &rests, &subjects,
                       &counted, &buckets, &requests, &pers, &bursts}) {
    statement.parameters.push_back(std::move(*array).Take());
  }
  return statement;
}

// --- answers ---

// Answering may bring new questions, which are appended to waiting_; the link becomes idle after
// this.
void PostgresBatches::OnBatch(Result<libpq::Rows> rows) {
  std::vector<Entry> batch = std::exchange(running_, {});
  if (!rows) return OnBatchError(std::move(batch), rows.error());
  INVARIANT(rows->size() == batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!batch[i].answered) Answer(batch[i], PostgresStepRow{*rows, i});
  }
}

void PostgresBatches::OnBatchError(std::vector<Entry> batch, const Error& error) {
  const Error explained = Explain(error);
  const bool one_is_at_fault =
      !IsElsewhere(error) && batch.size() > 1 &&
      (error.code == ErrorCode::kInvalid || error.code == ErrorCode::kRefused);
  for (std::size_t i = batch.size(); i-- > 0;) {
    if (batch[i].answered) continue;
    if (one_is_at_fault) {
      batch[i].alone = true;
      waiting_.push_front(std::move(batch[i]));
    } else {
      Answer(batch[i], explained);
    }
  }
}

Error PostgresBatches::Explain(const Error& error) {
  Error explained{error.code, link_.where() + ": " + error.detail, error.delivery};
  if (IsElsewhere(error)) link_.Drop(explained);
  return explained;
}

void PostgresBatches::Answer(Entry& entry, Result<PostgresStepRow> answer) {
  entry.answered = true;
  bytes_ -= entry.question.bytes();
  auto on_answer = std::move(entry.question.on_answer);
  on_answer(std::move(answer));
}

// --- what shares nothing ---

void PostgresBatches::SendSingle() {
  single_was_last_ = true;
  sent_ = loop_.Now();
  running_single_ = std::move(singles_.front());
  singles_.pop_front();
  link_.Run(running_single_->statement,
            [this](Result<libpq::Rows> rows) { OnSingle(std::move(rows)); });
}

void PostgresBatches::OnSingle(Result<libpq::Rows> rows) {
  auto on_rows = std::move(running_single_->on_rows);
  running_single_.reset();
  if (!rows) rows = Explain(rows.error());
  if (on_rows) on_rows(std::move(rows));
}

void PostgresBatches::Sweep() {
  Run({.sql = PostgresSweepSql(), .parameters = {}},
      [this](const Result<libpq::Rows>& rows) { OnSwept(rows); });
}

void PostgresBatches::OnSwept(const Result<libpq::Rows>& rows) {
  Duration pause = options_.sweep_pause;
  if (rows && rows->size() == 1) {
    if (const std::uint64_t unknown = NumberOf(*rows, 1); unknown > 0) {
      log::Write(log::Level::kWarn, "unknown_expired",
                 {{"records", unknown},
                  {"detail", "what became of them was never found out, and is forgotten now"}});
    }
    if (NumberOf(*rows, 0) == kPostgresSweepRows) pause = options_.sweep_again;
  }
  sweep_ = loop_.After(pause, [this] { Sweep(); });
}

// --- the link ---

void PostgresBatches::OnLinkLost(const Error& why) {
  std::vector<Entry> lost = std::exchange(running_, {});
  std::optional<Single> lost_single = std::exchange(running_single_, std::nullopt);
  const Error unknown{ErrorCode::kUnavailable, why.detail + "; what was asked may be done"};
  for (Entry& entry : lost) {
    if (!entry.answered) Answer(entry, unknown);
  }
  if (lost_single && lost_single->on_rows) lost_single->on_rows(unknown);
  ArmTimer();
}

// --- time ---

// One timer for all: it looks at every deadline a few times in a timeout's length, rather than
// being set anew for each question.
void PostgresBatches::ArmTimer() {
  if (timer_.open() || (waiting_.empty() && singles_.empty() && !running())) return;
  timer_ = loop_.After(options_.timeout / 8, [this] {
    TimeOut(loop_.Now());
    ArmTimer();
  });
}

// Answering may bring new questions, which are appended to waiting_.
void PostgresBatches::TimeOut(BootTime now) {
  for (std::size_t i = 0; i < running_.size(); ++i) {
    Entry& entry = running_[i];
    if (entry.answered || entry.deadline > now) continue;
    Answer(entry, link_.Fail(ErrorCode::kTimeout, "did not answer in time"));
  }
  const bool out_of_patience = !link_.within_grace();
  EndOverdue(waiting_, now, out_of_patience, [this](Entry& entry) {
    Answer(entry, link_.ready() ? link_.Fail(ErrorCode::kTimeout, "is too busy")
                                : link_.unavailable_reason());
  });
  TimeOutSingles(now, out_of_patience);
}

void PostgresBatches::TimeOutSingles(BootTime now, bool out_of_patience) {
  if (running_single_ && running_single_->on_rows && running_single_->deadline <= now) {
    auto on_rows = std::exchange(running_single_->on_rows, nullptr);
    on_rows(link_.Fail(ErrorCode::kTimeout, "did not answer in time"));
  }
  EndOverdue(singles_, now, out_of_patience, [this](Single& single) {
    single.on_rows(link_.ready() ? link_.Fail(ErrorCode::kTimeout, "is too busy")
                                 : link_.unavailable_reason());
  });
}

std::optional<std::string> PostgresBatches::unavailable_reason() const {
  if (!link_.ready()) return link_.unavailable_reason().detail;
  if (running() && loop_.Now() - sent_ >= options_.timeout) {
    return link_.where() + " does not answer";
  }
  return {};
}

}  // namespace idem::store

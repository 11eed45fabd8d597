#include "proxy/store/postgres/batch_queue.h"

#include <algorithm>

#include "proxy/base/invariant.h"

namespace idem::store {
namespace {

using std::chrono::milliseconds;

// A statement that takes this many timeouts is given up, together with its connection.
constexpr int kStatementTimeouts = 3;
constexpr milliseconds kStatementTimeoutMin(2000);  // enough to make the tables

// The database changed since the connection was made: it accepts no writes any more (class 25), or
// the tables are missing (class 42).
bool IsElsewhere(const Error& error) {
  return error.detail.find("(SQLSTATE 25") != std::string::npos ||
         error.detail.find("(SQLSTATE 42") != std::string::npos;
}

}  // namespace

PostgresBatchQueue::PostgresBatchQueue(event::EventLoop& loop, event::Resolver& resolver,
                                       Random& random, libpq::Url url, const Options& options)
    : options_(options),
      link_(loop, resolver, random, std::move(url),
            {.timeout = options.timeout,
             .require_durable = options.require_durable,
             .is_reporter = options.is_reporter,
             .statement_timeout =
                 std::max(kStatementTimeouts * options.timeout, kStatementTimeoutMin)},
            *this),
      steps_(loop, link_, {.timeout = options.timeout}, [this] { Send(); }),
      singles_(loop, link_, {.timeout = options.timeout}, [this] { Send(); }) {
  link_.Start();
}

PostgresBatchQueue::~PostgresBatchQueue() = default;

void PostgresBatchQueue::Ask(PostgresStepCall call) {
  Step step;
  step.call = std::move(call);
  if (steps_.Ask(std::move(step), singles_.load())) SendLater();
}

void PostgresBatchQueue::Run(libpq::Statement statement,
                             Function<void(Result<libpq::Rows>)> on_rows) {
  Single single;
  single.statement = std::move(statement);
  single.on_rows = std::move(on_rows);
  if (singles_.Ask(std::move(single), steps_.load())) SendLater();
}

void PostgresBatchQueue::SendLater() {
  if (link_.idle()) steps_.SendLater();
}

void PostgresBatchQueue::Send() {
  if (!link_.idle()) return;
  const bool its_turn = !single_was_last_ || steps_.waiting().empty();
  if (!singles_.waiting().empty() && its_turn) return SendSingle();
  SendBatch();
}

// --- batches ---

void PostgresBatchQueue::SendBatch() {
  single_was_last_ = false;
  TakeBatch();
  if (steps_.sent().empty()) return;
  steps_.NoteProgress();
  PostgresStepArrays arrays;
  for (const Step& step : steps_.sent()) arrays.Add(step.call);
  link_.Run(std::move(arrays).Take(),
            [this](Result<libpq::Rows> rows) { OnBatch(std::move(rows)); });
}

void PostgresBatchQueue::TakeBatch() {
  auto& waiting = steps_.waiting();
  auto& batch = steps_.sent();
  INVARIANT(batch.empty());
  std::size_t bytes = 0;
  while (!waiting.empty() && batch.size() < options_.batch_rows_max) {
    Step& next = waiting.front();
    const bool is_single = next.alone || (batch.size() == 1 && batch.front().alone);
    const bool fits = bytes + next.bytes() <= options_.batch_bytes_max && !is_single;
    if (!batch.empty() && !fits) return;
    bytes += next.bytes();
    batch.push_back(std::move(next));
    waiting.pop_front();
  }
}

// The link becomes idle after this, and then sends the questions that the answers caused.
void PostgresBatchQueue::OnBatch(Result<libpq::Rows> rows) {
  std::deque<Step> batch = std::exchange(steps_.sent(), {});
  if (!rows) return OnBatchError(std::move(batch), rows.error());
  INVARIANT(rows->size() == batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!batch[i].answered) steps_.Answer(batch[i], PostgresStepRow{*rows, i});
  }
}

void PostgresBatchQueue::OnBatchError(std::deque<Step> batch, const Error& error) {
  const Error explained = Explain(error);
  const bool one_is_at_fault =
      !IsElsewhere(error) && batch.size() > 1 &&
      (error.code == ErrorCode::kInvalid || error.code == ErrorCode::kRefused);
  for (std::size_t i = batch.size(); i-- > 0;) {
    if (batch[i].answered) continue;
    if (one_is_at_fault) {
      batch[i].alone = true;
      steps_.waiting().push_front(std::move(batch[i]));
    } else {
      steps_.Answer(batch[i], explained);
    }
  }
}

Error PostgresBatchQueue::Explain(const Error& error) {
  Error explained{error.code, link_.where() + ": " + error.detail, error.delivery};
  if (IsElsewhere(error)) link_.Drop(explained);
  return explained;
}

// --- single statements ---

void PostgresBatchQueue::SendSingle() {
  single_was_last_ = true;
  singles_.NoteProgress();
  singles_.sent().push_back(std::move(singles_.waiting().front()));
  singles_.waiting().pop_front();
  link_.Run(singles_.sent().front().statement,
            [this](Result<libpq::Rows> rows) { OnSingle(std::move(rows)); });
}

void PostgresBatchQueue::OnSingle(Result<libpq::Rows> rows) {
  Single single = std::move(singles_.sent().front());
  singles_.sent().clear();
  if (!rows) rows = Explain(rows.error());
  if (!single.answered) singles_.Answer(single, std::move(rows));
}

// --- the link ---

void PostgresBatchQueue::OnLinkLost(const Error& why) {
  steps_.FailSent(why);
  singles_.FailSent(why);
}

std::optional<std::string> PostgresBatchQueue::unavailable_reason() const {
  if (auto reason = steps_.unavailable_reason()) return reason;
  return singles_.unavailable_reason();
}

}  // namespace idem::store

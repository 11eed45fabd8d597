// Batches rows into one statement and one commit, because the number of rows per commit decides how
// fast PostgreSQL writes.
//
//   Ask(row) ─▶ waiting ──┬─ nothing in flight ──────────────▶ Pool ─▶ one statement ─▶ answers
//                         ├─ rows_worthwhile of them wait ───▶
//                         └─ otherwise: when the statement in flight has ended, and `gather` after
//                            its begin at the earliest
//
// A single caller never waits for others. Under load each statement takes all rows that arrived
// while others ran. Further connections are used only for groups that are worth a commit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "upstream/postgres/pool.h"

namespace idem::libpq {

struct BatcherOptions {
  std::size_t rows_max = 256;        // of one statement
  std::size_t rows_worthwhile = 16;  // that many get a connection of their own beside others
  std::size_t waiting_max = 10'000;  // beyond, the answer is kUnavailable
  int attempts_max = 10;             // of one row that Read() did not find
  Duration gather = std::chrono::milliseconds(2);
  Duration wait = std::chrono::seconds(2);  // for a connection
};

/// Turns rows into one statement, and its result into one answer for each row.
template <class Row, class Answer>
class BatchCodec {
 public:
  virtual ~BatchCodec() = default;
  virtual Statement Make(std::span<const Row> rows) const = 0;
  /// Returns one answer for each row, in their order. nullopt means that the row must be sent
  /// again, because another transaction locks it and is not visible yet.
  virtual std::vector<std::optional<Answer>> Read(std::span<const Row> rows,
                                                  const Rows& result) const = 0;
};

/// Runs on one loop. Outlives its users; the pool outlives it.
template <class Row, class Answer>
class StatementBatcher {
 public:
  StatementBatcher(event::EventLoop& loop, Pool& pool, const BatchCodec<Row, Answer>& codec,
                   const BatcherOptions& options)
      : loop_(loop), pool_(pool), codec_(codec), options_(options) {}
  StatementBatcher(const StatementBatcher&) = delete;
  StatementBatcher& operator=(const StatementBatcher&) = delete;

  /// Errors are those of Pool::Run. A value that PostgreSQL refuses fails only its own row. A row
  /// whose ticket is withdrawn stays in its group and may still be written.
  [[nodiscard]] Ticket Ask(Row row, Function<void(Result<Answer>)> on_answer) {
    auto [ticket, completion] = idem::Ask<Result<Answer>>(std::move(on_answer));
    Question question{std::move(row), std::move(completion), loop_.Now() + options_.wait};
    if (waiting_.size() >= options_.waiting_max) {
      RefuseLater(std::move(question));
    } else {
      waiting_.push_back(std::move(question));
      Consider();
    }
    return std::move(ticket);
  }

 private:
  struct Question {
    Row row;
    Completion<Result<Answer>> answer;
    BootTime deadline;
    int attempts = 0;
    bool alone = false;  // its group was refused, perhaps because of this row
  };
  struct Group {
    std::vector<Row> rows;
    std::vector<Question> questions;  // their `row` has moved into `rows`
    Ticket ticket;
  };
  using GroupAt = typename std::list<Group>::iterator;

  /// Requests a connection if a group is due.
  void Consider() {
    if (waiting_.empty() || asking_) return;
    const bool worthwhile = waiting_.size() >= options_.rows_worthwhile;
    if (!worthwhile && (in_flight_ > 0 || gathering_.open())) return;
    asking_ = true;
    const Duration wait = std::max(waiting_.front().deadline - loop_.Now(), Duration::zero());
    const GroupAt group = groups_.emplace(groups_.end());
    group->ticket = pool_.Run([this, group] { return Form(*group); }, wait,
                              [this, group](Result<Rows> result) { OnResult(group, result); });
  }

  /// Called when a connection is free. Takes all waiting rows.
  Statement Form(Group& group) {
    asking_ = false;
    ++in_flight_;
    began_ = loop_.Now();
    do {
      group.questions.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
      group.rows.push_back(std::move(group.questions.back().row));
    } while (!waiting_.empty() && group.rows.size() < options_.rows_max &&
             !group.questions.back().alone && !waiting_.front().alone);
    Statement statement = codec_.Make(group.rows);
    Consider();
    return statement;
  }

  void OnResult(GroupAt at, Result<Rows>& result) {
    Group group = std::move(*at);
    groups_.erase(at);
    if (group.rows.empty()) {  // no connection came: it was never formed
      asking_ = false;
      RefuseExpired(result.error());
    } else {
      --in_flight_;
      if (result) {
        AnswerAll(group, *result);
      } else if (result.error().code == ErrorCode::kInvalid && group.rows.size() > 1) {
        for (std::size_t i = 0; i < group.rows.size(); ++i) AskAgain(group, i, true);
      } else {
        for (Question& question : group.questions) question.answer(result.error());
      }
    }
    Gather();
  }

  void AnswerAll(Group& group, const Rows& result) {
    auto answers = codec_.Read(group.rows, result);
    INVARIANT(answers.size() == group.rows.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      Question& question = group.questions[i];
      if (answers[i]) {
        question.answer(std::move(*answers[i]));
      } else if (++question.attempts < options_.attempts_max) {
        AskAgain(group, i, question.alone);
      } else {
        question.answer(Error{ErrorCode::kUnavailable, "the row stays locked by others"});
      }
    }
  }

  void AskAgain(Group& group, std::size_t index, bool alone) {
    Question& question = group.questions[index];
    question.row = std::move(group.rows[index]);
    question.alone = alone;
    waiting_.push_back(std::move(question));
  }

  /// Called after a statement has ended. The rows that arrived in between are sent next, together
  /// with those that arrive until `gather` after its begin.
  void Gather() {
    const Duration left = began_ + options_.gather - loop_.Now();
    if (!waiting_.empty() && left > Duration::zero() && !gathering_.open()) {
      gathering_ = loop_.After(left, [this] { Consider(); });
    }
    Consider();
  }

  void RefuseExpired(const Error& error) {
    const BootTime now = loop_.Now();
    std::vector<Question> expired;
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
      expired.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    for (Question& question : expired) question.answer(error);
  }

  void RefuseLater(Question question) {
    refused_.push_back(std::move(question));
    if (refusing_.open()) return;
    refusing_ = loop_.After(Duration::zero(), [this] {
      for (Question& each : std::exchange(refused_, {})) {
        each.answer(Error{ErrorCode::kUnavailable, "too many wait for the database"});
      }
    });
  }

  event::EventLoop& loop_;
  Pool& pool_;
  const BatchCodec<Row, Answer>& codec_;
  const BatcherOptions options_;
  std::deque<Question> waiting_;
  std::vector<Question> refused_;
  std::list<Group> groups_;  // in flight, and at most one that waits for a connection
  bool asking_ = false;      // that one exists
  std::size_t in_flight_ = 0;
  BootTime began_;  // when the last group was formed
  Ticket gathering_;
  Ticket refusing_;
};

}  // namespace idem::libpq

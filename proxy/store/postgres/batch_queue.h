// Steps of records and counts of limits on their way to the database: what is asked while a
// statement runs shares the next one, and its commit. None is answered before that is confirmed.
//
//   Ask() ─▶ waiting ──(end of the turn, when the link is idle)──▶ running ──▶ on_answer
//
// Unlike libpq::StatementBatcher, which spreads over the connections of a pool, this keeps the order: a
// step sees what was asked before it. Only rows that the database refused with others are asked
// again, each alone, so that no row fails for another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/function.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/store/postgres/postgres_link.h"

namespace idem::store {

/// One row of what idemproxy_steps() answered; good inside the call that brings it.
struct PostgresStepRow {
  const libpq::Rows& rows;
  std::size_t row;

  [[nodiscard]] std::optional<std::string_view> Value(std::size_t column) const {
    return rows.Value(row, column);
  }
};

/// One row of what idemproxy_steps() takes (postgres_steps.cc).
struct PostgresStepCall {
  std::string_view ask;  // "begin", ...
  std::string id;        // "" for count
  std::string key;
  std::string token;
  std::string replaced;
  std::int64_t lease_ms = 0;
  std::int64_t keep_ms = 0;
  std::string rest;
  std::string subject;  // "": nothing is counted
  std::optional<ports::LimitRequest> limit;
  /// Once, never inside Ask(). Where the error is kUnavailable or kTimeout, the question may have
  /// taken effect all the same.
  Function<void(Result<PostgresStepRow>)> on_answer;

  [[nodiscard]] std::size_t bytes() const { return key.size() + rest.size() + subject.size(); }
};

class PostgresBatches final : private PostgresLinkEvents {
 public:
  struct Options {
    std::chrono::milliseconds timeout{500};  // of one question, waiting included
    bool require_durable = false;
    bool is_reporter =
        true;  // logs, and deletes what has expired; of a process's many one is enough
    std::size_t questions_max = 16 * 1024;
    std::size_t bytes_max = 64UL << 20;  // beyond it nothing more is taken in
    std::size_t batch_rows_max = 256;
    std::size_t batch_bytes_max = 4UL << 20;                // but for one question that is larger
    Duration sweep_pause = std::chrono::seconds(30);        // between two deletions
    Duration sweep_again = std::chrono::milliseconds(500);  // where the last one found many
  };

  PostgresBatches(event::EventLoop& loop, event::Resolver& resolver, Random& random, libpq::Url url,
                  const Options& options);
  ~PostgresBatches() override;
  PostgresBatches(const PostgresBatches&) = delete;
  PostgresBatches& operator=(const PostgresBatches&) = delete;

  /// While the first connection is under way, and for a moment after one was lost, questions wait;
  /// later they fail at once.
  void Ask(PostgresStepCall question);

  /// A statement that shares nothing with others: it runs between two batches. The same holds for
  /// it as for Ask().
  void Run(libpq::Statement statement, Function<void(Result<libpq::Rows>)> on_rows);

  /// Answers once the first attempt to connect has ended: with Ok, or why the database cannot be
  /// used.
  [[nodiscard]] Ticket WhenTried(Function<void(Status)> on_tried) {
    return link_.WhenTried(std::move(on_tried));
  }

  /// Nothing where questions can be asked; else why not.
  [[nodiscard]] std::optional<std::string> unavailable_reason() const;

 private:
  struct Entry {
    PostgresStepCall question;
    BootTime deadline{};
    bool answered = false;
    bool alone = false;  // its batch was refused: perhaps because of this row
  };

  struct Single {
    libpq::Statement statement;
    Function<void(Result<libpq::Rows>)> on_rows;  // null: answered
    BootTime deadline{};
  };

  void OnLinkReady() override { Send(); }
  void OnLinkIdle() override { Send(); }
  void OnLinkLost(const Error& why) override;

  void SendLater();
  void Send();
  void TakeBatch();
  [[nodiscard]] libpq::Statement MakeStatement() const;
  void OnBatch(Result<libpq::Rows> rows);
  void OnBatchError(std::vector<Entry> batch, const Error& error);
  void SendSingle();
  void OnSingle(Result<libpq::Rows> rows);
  void Sweep();
  void OnSwept(const Result<libpq::Rows>& rows);

  void Answer(Entry& entry, Result<PostgresStepRow> answer);
  void ArmTimer();
  void TimeOut(BootTime now);
  void TimeOutSingles(BootTime now, bool out_of_patience);

  /// Why nothing more is taken in now; nothing where it is.
  [[nodiscard]] std::optional<Error> UnavailableReason() const;
  [[nodiscard]] bool full() const;
  [[nodiscard]] bool running() const { return !running_.empty() || running_single_.has_value(); }
  Error Explain(const Error& error);

  event::EventLoop& loop_;
  const Options options_;
  std::deque<Entry> waiting_;
  std::vector<Entry> running_;  // the rows of the statement that runs, in its order
  std::deque<Single> singles_;  // that wait
  std::optional<Single> running_single_;
  bool single_was_last_ = false;
  std::size_t bytes_ = 0;  // of all that is not answered
  BootTime sent_{};        // when the statement that runs was
  Ticket send_;
  Ticket timer_;
  Ticket sweep_;
  PostgresLink link_;  // last: it is gone before what it tells
};

}  // namespace idem::store

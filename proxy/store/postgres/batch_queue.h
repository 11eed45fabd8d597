// Batches transitions and rate-limit counts. Steps that arrive while a statement runs share the
// next statement and its commit. No step is answered before its commit is confirmed.
//
//   Ask() ─▶ waiting ──(end of the turn, when the link is idle)──▶ sent ──▶ on_answer
//
// Steps run in the order of Ask(), unlike those of libpq::StatementBatcher, which uses several
// connections. When the database refuses a batch because of its values, each of its rows is sent
// again in a statement of its own, so that no row fails because of another.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "proxy/base/function.h"
#include "proxy/store/postgres/postgres_link.h"
#include "proxy/store/postgres/step_call.h"
#include "proxy/store/remote/question_queue.h"

namespace idem::store {

class PostgresBatchQueue final : private PostgresLinkEvents {
 public:
  struct Options {
    std::chrono::milliseconds timeout{500};  // of one question, waiting included
    bool require_durable = false;
    bool is_reporter = true;  // see PostgresLink
    std::size_t batch_rows_max = 256;
    std::size_t batch_bytes_max = 4UL << 20;  // a larger step is sent in a batch of its own
  };

  PostgresBatchQueue(event::EventLoop& loop, event::Resolver& resolver, Random& random,
                     libpq::Url url, const Options& options);
  ~PostgresBatchQueue() override;
  PostgresBatchQueue(const PostgresBatchQueue&) = delete;
  PostgresBatchQueue& operator=(const PostgresBatchQueue&) = delete;

  /// Questions wait while RemoteLink::within_grace(); otherwise they fail on the next turn.
  void Ask(PostgresStepCall call);
  /// Runs a statement between two batches, with the same limits as Ask().
  void Run(libpq::Statement statement, Function<void(Result<libpq::Rows>)> on_rows);

  [[nodiscard]] Ticket WhenTried(Function<void(Status)> on_tried) {
    return link_.WhenTried(std::move(on_tried));
  }

  /// The reason why questions are not answered now; null while they are.
  [[nodiscard]] std::optional<std::string> unavailable_reason() const;

 private:
  struct Step : QuestionState {
    [[nodiscard]] std::size_t bytes() const { return call.bytes(); }
    auto TakeCallback() { return std::move(call.on_answer); }

    PostgresStepCall call;
    bool alone = false;  // its batch was refused, perhaps because of this row
  };

  struct Single : QuestionState {
    [[nodiscard]] static std::size_t bytes() { return 0; }
    auto TakeCallback() { return std::move(on_rows); }

    libpq::Statement statement;
    Function<void(Result<libpq::Rows>)> on_rows;
  };

  void OnLinkReady() override { Send(); }
  void OnLinkIdle() override { Send(); }
  void OnLinkLost(const Error& why) override;

  void SendLater();
  void Send();
  void SendBatch();
  void TakeBatch();
  void OnBatch(Result<libpq::Rows> rows);
  void OnBatchError(std::deque<Step> batch, const Error& error);
  void SendSingle();
  void OnSingle(Result<libpq::Rows> rows);
  Error Explain(const Error& error);

  const Options options_;
  PostgresLink link_;
  QuestionQueue<Step> steps_;
  QuestionQueue<Single> singles_;
  bool single_was_last_ = false;
};

}  // namespace idem::store

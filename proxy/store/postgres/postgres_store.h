// The store for teams that trust no cache with money: records and rate limits in a PostgreSQL
// database that replicas share. Each transition is one step of one statement (statements.h),
// and an answer means that its commit was confirmed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/ports/note_store.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"
#include "proxy/store/postgres/batch_queue.h"
#include "proxy/store/postgres/expiry_sweeper.h"
#include "proxy/store/store_options.h"

namespace idem::store {

/// One worker's, with one connection. Made, asked and destroyed on its loop; the askers go first.
class PostgresStore final : public ports::RecordStore,
                            public ports::RateLimiter,
                            public ports::RecordIndex,
                            public ports::NoteStore {
 public:
  /// Begins to connect. kInvalid where `options.url` cannot be used. Of the stores of one process
  /// one `is_reporter`: it logs, because they all would say the same, and deletes what has expired.
  static Result<std::unique_ptr<PostgresStore>> Open(event::EventLoop& loop,
                                                     event::Resolver& resolver, Random& random,
                                                     const StoreOptions& options,
                                                     bool is_reporter = true);

  /// Answers once the first attempt to connect has ended: Ok, or why not, for a start that wants to
  /// refuse a database (kRefused: a wrong password, a standby, tables of a newer version, one that
  /// may forget where `require_durable` is set). It is tried again by itself whatever the answer.
  [[nodiscard]] Ticket WhenTried(Function<void(Status)> on_tried) {
    return batches_.WhenTried(std::move(on_tried));
  }

  [[nodiscard]] Ticket Begin(ports::BeginRequest request, OnBegun on_begun) override;
  [[nodiscard]] Ticket Apply(const ports::Transition& transition, OnApplied on_applied) override;
  [[nodiscard]] Ticket ReserveLookUp(const ports::LookUpRequest& request,
                                     OnLookUpReserved on_reserved) override;
  [[nodiscard]] Ticket Read(std::string_view record_key, OnRead on_read) override;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override {
    return batches_.unavailable_reason();
  }

  [[nodiscard]] Ticket List(const ports::RecordFilter& filter, std::string_view cursor,
                            OnListed on_listed) override;
  [[nodiscard]] Ticket Read(std::string_view name, OnNote on_note) override;
  [[nodiscard]] Ticket Write(std::string_view name, const std::optional<std::string>& replaces,
                             std::string_view value, OnNote on_note) override;
  [[nodiscard]] Ticket Count(const ports::LimitRequest& request, OnCounted on_counted) override;

 private:
  PostgresStore(event::EventLoop& loop, event::Resolver& resolver, Random& random, libpq::Url url,
                const StoreOptions& options, bool is_reporter);

  /// Builds a call for one record, without the values that it writes.
  [[nodiscard]] PostgresStepCall CallFor(std::string_view ask, std::string_view record_key) const;
  [[nodiscard]] PostgresStepCall CallFor(const ports::Transition& transition) const;
  void AddLimit(PostgresStepCall& call, const ports::LimitRequest& limit) const;
  /// Makes the step and completes with `read` of its row.
  template <class Answer, class Reader>
  [[nodiscard]] Ticket Run(PostgresStepCall call, Function<void(Result<Answer>)> on_answer,
                           Reader read);
  [[nodiscard]] Ticket RunNote(libpq::Statement statement, OnNote on_note);

  event::EventLoop& loop_;
  const std::string prefix_;
  PostgresBatchQueue batches_;
  std::optional<PostgresExpirySweeper> sweeper_;  // null: another store of the process deletes
};

}  // namespace idem::store

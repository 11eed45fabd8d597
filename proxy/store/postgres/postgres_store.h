// The store for teams that trust no cache with money: records and rate limits in a PostgreSQL
// database that replicas share. Each transition is one step of one statement (postgres_steps.cc),
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

  [[nodiscard]] Ticket Begin(ports::BeginRequest question, OnBegun on_answer) override;
  [[nodiscard]] Ticket Complete(std::string_view record_key, const idempotency::Claim& claim,
                                const idempotency::StoredResponse& response,
                                idempotency::Milliseconds ttl, OnSettled on_answer) override;
  [[nodiscard]] Ticket Release(std::string_view record_key, const idempotency::Token& token,
                               OnSettled on_answer) override;
  [[nodiscard]] Ticket MarkUnknown(std::string_view record_key, const idempotency::Claim& claim,
                                   OnSettled on_answer) override;
  [[nodiscard]] Ticket Withdraw(std::string_view record_key, const idempotency::Token& token,
                                idempotency::Milliseconds lease, OnSettled on_answer) override;
  [[nodiscard]] Ticket ReserveLookUp(std::string_view record_key, const idempotency::Token& token,
                                     idempotency::Milliseconds pause,
                                     OnLookUpReserved on_answer) override;
  [[nodiscard]] Ticket ReleaseUnknown(std::string_view record_key, const idempotency::Token& token,
                                      OnSettled on_answer) override;
  [[nodiscard]] Ticket ResolveUnknown(std::string_view record_key, const idempotency::Claim& claim,
                                      const idempotency::StoredResponse& response,
                                      idempotency::Milliseconds ttl, OnSettled on_answer) override;
  [[nodiscard]] Ticket Look(std::string_view record_key, OnSettled on_answer) override;
  [[nodiscard]] Ticket List(const ports::RecordFilter& filter, std::string_view cursor,
                            OnListed on_answer) override;
  [[nodiscard]] Ticket ReadNote(std::string_view name, OnNote on_answer) override;
  [[nodiscard]] Ticket WriteNote(std::string_view name, const std::optional<std::string>& replaces,
                                 std::string_view value, OnNote on_answer) override;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override {
    return batches_.unavailable_reason();
  }
  [[nodiscard]] bool limits_with_begin() const override { return true; }

  [[nodiscard]] Ticket Count(const ports::LimitRequest& question,
                             Function<void(Result<ports::LimitResult>)> on_answer) override;

 private:
  PostgresStore(event::EventLoop& loop, event::Resolver& resolver, Random& random, libpq::Url url,
                const StoreOptions& options, bool is_reporter);

  /// A question about one record, without what it is to become.
  [[nodiscard]] PostgresStepCall About(std::string_view ask, std::string_view record_key) const;
  void Limit(PostgresStepCall& question, const ports::LimitRequest& limit) const;
  [[nodiscard]] Ticket Settle(PostgresStepCall question, OnSettled on_answer);
  [[nodiscard]] Ticket AskNote(libpq::Statement statement, OnNote on_answer);

  event::EventLoop& loop_;
  const std::string prefix_;
  PostgresBatches batches_;
};

}  // namespace idem::store

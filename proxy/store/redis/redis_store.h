// The store that replicas share: records and rate limits in a Redis, one script for each transition
// (redis_scripts.cc), one pipelined connection for each worker.
//
// What it promises of a write is what Redis promises: an answer means that Redis has made it (with
// appendfsync always: on its disk; with wait_replicas: in the memory of as many replicas too).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/ports/note_store.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"
#include "proxy/store/redis/pipeline.h"
#include "proxy/store/redis/reply_decoder.h"
#include "proxy/store/redis/scripts.h"
#include "proxy/store/store_options.h"

namespace idem::store {

/// One worker's. Made, asked and destroyed on its loop; the askers go first.
class RedisStore final : public ports::RecordStore,
                         public ports::RateLimiter,
                         public ports::RecordIndex,
                         public ports::NoteStore {
 public:
  /// Begins to connect. kInvalid where `options.url` cannot be used. Of the stores of one process
  /// one `is_reporter` in the log: they all would say the same.
  static Result<std::unique_ptr<RedisStore>> Open(event::EventLoop& loop, event::Resolver& resolver,
                                                  Random& random, const StoreOptions& options,
                                                  bool is_reporter = true);

  /// Answers once the first attempt to connect has ended: Ok, or why not, for a start that wants to
  /// refuse a server (kRefused: a wrong password, a cluster, one that may forget where
  /// `require_durable` is set). It is tried again by itself whatever the answer.
  [[nodiscard]] Ticket WhenTried(Function<void(Status)> on_tried) {
    return pipeline_.WhenTried(std::move(on_tried));
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
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override;
  [[nodiscard]] bool limits_with_begin() const override { return true; }

  [[nodiscard]] Ticket Count(const ports::LimitRequest& question,
                             Function<void(Result<ports::LimitResult>)> on_answer) override;

 private:
  RedisStore(event::EventLoop& loop, event::Resolver& resolver, Random& random,
             RedisAddress address, const StoreOptions& options, bool is_reporter);

  void TakePage(const ports::RecordFilter& filter, RedisPage page,
                Completion<Result<ports::RecordPage>> completion);
  [[nodiscard]] Ticket AskNote(RedisScriptCall question, OnNote on_answer);
  [[nodiscard]] Ticket Settle(RedisScriptCall question, OnSettled on_answer);

  event::EventLoop& loop_;
  const RedisKeys keys_;
  RedisPipeline pipeline_;
};

}  // namespace idem::store

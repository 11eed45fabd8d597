// The store that replicas share: records and rate limits in a Redis, one script for each transition
// (scripts.h), one pipelined connection for each worker.
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
#include "proxy/store/redis/redis_keys.h"
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

  [[nodiscard]] Ticket Begin(ports::BeginRequest request, OnBegun on_begun) override;
  [[nodiscard]] Ticket Apply(const ports::Transition& transition, OnApplied on_applied) override;
  [[nodiscard]] Ticket ReserveLookUp(const ports::LookUpRequest& request,
                                     OnLookUpReserved on_reserved) override;
  [[nodiscard]] Ticket Read(std::string_view record_key, OnRead on_read) override;
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override;

  [[nodiscard]] Ticket List(const ports::RecordFilter& filter, std::string_view cursor,
                            OnListed on_listed) override;
  [[nodiscard]] Ticket Read(std::string_view name, OnNote on_note) override;
  [[nodiscard]] Ticket Write(std::string_view name, const std::optional<std::string>& replaces,
                             std::string_view value, OnNote on_note) override;
  [[nodiscard]] Ticket Count(const ports::LimitRequest& request, OnCounted on_counted) override;

 private:
  RedisStore(event::EventLoop& loop, event::Resolver& resolver, Random& random,
             RedisAddress address, const StoreOptions& options, bool is_reporter);

  void TakePage(const ports::RecordFilter& filter, RedisPage page,
                Completion<Result<ports::RecordPage>> completion);
  /// Runs the script and completes with `read` of its reply.
  template <class Answer, class Reader>
  [[nodiscard]] Ticket Run(RedisScriptCall call, Function<void(Result<Answer>)> on_answer,
                           Reader read);

  event::EventLoop& loop_;
  const RedisKeys keys_;
  RedisPipeline pipeline_;
};

}  // namespace idem::store

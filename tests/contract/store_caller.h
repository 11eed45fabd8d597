// A store's client on a loop of the calling thread, asked in plain sequence.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/contract/samples.h"
#include "tests/contract/store_fixtures.h"
#include "tests/support/run_loop.h"

namespace idem::contract {

class Caller {
 public:
  using BeginAnswer = exchange::BeginAnswer;
  using SettleAnswer = exchange::SettleAnswer;
  using LookUpAnswer = exchange::LookUpAnswer;

  template <class Fixture>
  explicit Caller(Fixture& fixture) : client_(fixture.Connect(loop_)) {
    support::RunUntil(loop_, [this] { return !client_->records().not_ready().has_value(); });
  }

  event::EventLoop& loop() { return loop_; }
  exchange::RecordStore& records() { return client_->records(); }

  BeginAnswer Begin(std::string key, idempotency::Claim claim,
                    std::optional<idempotency::Token> replaces = {},
                    std::optional<exchange::LimitQuestion> limit = {}) {
    return Await<BeginAnswer>([&](auto on_answer) {
      return records().Begin({std::move(key), std::move(claim), replaces, std::move(limit)},
                             std::move(on_answer));
    });
  }
  SettleAnswer Complete(std::string_view key, const idempotency::Claim& claim,
                        const idempotency::StoredResponse& response = NewResponse(),
                        idempotency::Milliseconds ttl = kLong) {
    return Await<SettleAnswer>([&](auto on_answer) {
      return records().Complete(key, claim, response, ttl, std::move(on_answer));
    });
  }
  SettleAnswer Release(std::string_view key, const idempotency::Token& token) {
    return Await<SettleAnswer>(
        [&](auto on_answer) { return records().Release(key, token, std::move(on_answer)); });
  }
  SettleAnswer MarkUnknown(std::string_view key, const idempotency::Claim& claim) {
    return Await<SettleAnswer>(
        [&](auto on_answer) { return records().MarkUnknown(key, claim, std::move(on_answer)); });
  }
  SettleAnswer Withdraw(std::string_view key, const idempotency::Token& token,
                        idempotency::Milliseconds lease = kLong) {
    return Await<SettleAnswer>([&](auto on_answer) {
      return records().Withdraw(key, token, lease, std::move(on_answer));
    });
  }
  LookUpAnswer ClaimLookUp(std::string_view key, const idempotency::Token& token,
                           idempotency::Milliseconds pause = kLong) {
    return Await<LookUpAnswer>([&](auto on_answer) {
      return records().ClaimLookUp(key, token, pause, std::move(on_answer));
    });
  }
  SettleAnswer ReleaseUnknown(std::string_view key, const idempotency::Token& token) {
    return Await<SettleAnswer>(
        [&](auto on_answer) { return records().ReleaseUnknown(key, token, std::move(on_answer)); });
  }
  SettleAnswer ResolveUnknown(std::string_view key, const idempotency::Claim& claim,
                              const idempotency::StoredResponse& response = NewResponse(),
                              idempotency::Milliseconds ttl = kLong) {
    return Await<SettleAnswer>([&](auto on_answer) {
      return records().ResolveUnknown(key, claim, response, ttl, std::move(on_answer));
    });
  }
  SettleAnswer Look(std::string_view key) {
    return Await<SettleAnswer>(
        [&](auto on_answer) { return records().Look(key, std::move(on_answer)); });
  }
  /// The whole walk.
  std::vector<exchange::FoundRecord> List(const exchange::RecordFilter& filter) {
    std::vector<exchange::FoundRecord> found;
    std::string cursor;
    do {
      auto page = Await<exchange::ListAnswer>([&](auto on_answer) {
        return client_->index().List(filter, cursor, std::move(on_answer));
      });
      for (auto& record : page.found) found.push_back(std::move(record));
      cursor = std::move(page.cursor);
    } while (!cursor.empty());
    return found;
  }
  exchange::NoteAnswer ReadNote(std::string_view name) {
    return Await<exchange::NoteAnswer>(
        [&](auto on_answer) { return client_->notes().ReadNote(name, std::move(on_answer)); });
  }
  exchange::NoteAnswer WriteNote(std::string_view name, const std::optional<std::string>& replaces,
                                 std::string_view value) {
    return Await<exchange::NoteAnswer>([&](auto on_answer) {
      return client_->notes().WriteNote(name, replaces, value, std::move(on_answer));
    });
  }
  exchange::RecordIndex& index() { return client_->index(); }
  exchange::LimitVerdict Count(const exchange::LimitQuestion& question) {
    return Await<exchange::LimitVerdict>(
        [&](auto on_answer) { return client_->limiter().Count(question, std::move(on_answer)); });
  }

  /// Asks `count` questions in one turn, then turns until all are answered.
  template <class Value, class Question>
  std::vector<Result<Value>> AwaitAll(std::size_t count, Question question) {
    std::vector<Result<Value>> answers;
    std::vector<Ticket> tickets;
    for (std::size_t i = 0; i < count; ++i) {
      tickets.push_back(question(i, Function<void(Result<Value>)>([&](Result<Value> answer) {
                                   answers.push_back(std::move(answer));
                                   if (answers.size() == count) loop_.Stop();
                                 })));
    }
    REQUIRE_MESSAGE(answers.empty(), "answered from inside the call that asked");
    RunUntilStopped();
    REQUIRE(answers.size() == count);
    return answers;
  }

  template <class Value, class Question>
  Result<Value> Try(Question question) {
    auto answers = AwaitAll<Value>(
        1, [&](std::size_t, auto on_answer) { return question(std::move(on_answer)); });
    return std::move(answers.front());
  }

 private:
  template <class Value, class Question>
  Value Await(Question question) {
    Result<Value> answer = Try<Value>(std::move(question));
    if (!answer) FAIL(answer.error().detail);
    return std::move(answer).value();
  }

  void RunUntilStopped() {
    const Ticket give_up = loop_.After(std::chrono::seconds(60), [this] { loop_.Stop(); });
    loop_.Run();
  }

  event::EventLoop loop_;
  std::unique_ptr<StoreClient> client_;
};

}  // namespace idem::contract

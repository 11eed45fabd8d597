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
  using BeginResult = ports::BeginResult;
  using TransitionResult = ports::TransitionResult;
  using LookUpReservation = ports::LookUpReservation;

  template <class Fixture>
  explicit Caller(Fixture& fixture) : client_(fixture.Connect(loop_)) {
    support::RunUntil(loop_,
                      [this] { return !client_->records().unavailable_reason().has_value(); });
  }

  event::EventLoop& loop() { return loop_; }
  ports::RecordStore& records() { return client_->records(); }

  BeginResult Begin(std::string key, idempotency::Claim claim,
                    std::optional<idempotency::Token> replaces = {},
                    std::optional<ports::LimitRequest> limit = {}) {
    return Await<BeginResult>([&](auto on_answer) {
      return records().Begin({std::move(key), std::move(claim), replaces, std::move(limit)},
                             std::move(on_answer));
    });
  }
  TransitionResult Complete(std::string_view key, const idempotency::Claim& claim,
                            const idempotency::StoredResponse& response = NewResponse(),
                            idempotency::Milliseconds ttl = kLong) {
    return Await<TransitionResult>([&](auto on_answer) {
      return records().Complete(key, claim, response, ttl, std::move(on_answer));
    });
  }
  TransitionResult Release(std::string_view key, const idempotency::Token& token) {
    return Await<TransitionResult>(
        [&](auto on_answer) { return records().Release(key, token, std::move(on_answer)); });
  }
  TransitionResult MarkUnknown(std::string_view key, const idempotency::Claim& claim) {
    return Await<TransitionResult>(
        [&](auto on_answer) { return records().MarkUnknown(key, claim, std::move(on_answer)); });
  }
  TransitionResult Withdraw(std::string_view key, const idempotency::Token& token,
                            idempotency::Milliseconds lease = kLong) {
    return Await<TransitionResult>([&](auto on_answer) {
      return records().Withdraw(key, token, lease, std::move(on_answer));
    });
  }
  LookUpReservation ReserveLookUp(std::string_view key, const idempotency::Token& token,
                                  idempotency::Milliseconds pause = kLong) {
    return Await<LookUpReservation>([&](auto on_answer) {
      return records().ReserveLookUp(key, token, pause, std::move(on_answer));
    });
  }
  TransitionResult ReleaseUnknown(std::string_view key, const idempotency::Token& token) {
    return Await<TransitionResult>(
        [&](auto on_answer) { return records().ReleaseUnknown(key, token, std::move(on_answer)); });
  }
  TransitionResult ResolveUnknown(std::string_view key, const idempotency::Claim& claim,
                                  const idempotency::StoredResponse& response = NewResponse(),
                                  idempotency::Milliseconds ttl = kLong) {
    return Await<TransitionResult>([&](auto on_answer) {
      return records().ResolveUnknown(key, claim, response, ttl, std::move(on_answer));
    });
  }
  TransitionResult Look(std::string_view key) {
    return Await<TransitionResult>(
        [&](auto on_answer) { return records().Look(key, std::move(on_answer)); });
  }
  /// The whole walk.
  std::vector<ports::FoundRecord> List(const ports::RecordFilter& filter) {
    std::vector<ports::FoundRecord> found;
    std::string cursor;
    do {
      auto page = Await<ports::RecordPage>([&](auto on_answer) {
        return client_->index().List(filter, cursor, std::move(on_answer));
      });
      for (auto& record : page.found) found.push_back(std::move(record));
      cursor = std::move(page.cursor);
    } while (!cursor.empty());
    return found;
  }
  ports::NoteResult ReadNote(std::string_view name) {
    return Await<ports::NoteResult>(
        [&](auto on_answer) { return client_->notes().ReadNote(name, std::move(on_answer)); });
  }
  ports::NoteResult WriteNote(std::string_view name, const std::optional<std::string>& replaces,
                              std::string_view value) {
    return Await<ports::NoteResult>([&](auto on_answer) {
      return client_->notes().WriteNote(name, replaces, value, std::move(on_answer));
    });
  }
  ports::RecordIndex& index() { return client_->index(); }
  ports::LimitResult Count(const ports::LimitRequest& question) {
    return Await<ports::LimitResult>(
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

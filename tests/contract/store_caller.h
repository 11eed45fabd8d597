// A store's client on a loop of the calling thread, called in sequence.
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
                            idempotency::StoredResponse response = NewResponse(),
                            idempotency::Milliseconds ttl = kLong) {
    return Apply(Completion(key, claim, std::move(response), ttl));
  }
  TransitionResult Release(std::string_view key, const idempotency::Token& token) {
    return Apply(Settlement(Kind::kRelease, key, ClaimWith(token)));
  }
  TransitionResult MarkUnknown(std::string_view key, const idempotency::Claim& claim) {
    return Apply(Settlement(Kind::kMarkUnknown, key, claim));
  }
  TransitionResult Withdraw(std::string_view key, const idempotency::Token& token,
                            idempotency::Milliseconds lease = kLong) {
    idempotency::Claim claim = ClaimWith(token);
    claim.lease = lease;
    return Apply(Settlement(Kind::kWithdraw, key, claim));
  }
  TransitionResult ReleaseUnknown(std::string_view key, const idempotency::Token& token) {
    return Apply(Settlement(Kind::kReleaseUnknown, key, ClaimWith(token)));
  }
  TransitionResult ResolveUnknown(std::string_view key, const idempotency::Claim& claim,
                                  idempotency::StoredResponse response = NewResponse(),
                                  idempotency::Milliseconds ttl = kLong) {
    ports::Transition transition = Completion(key, claim, std::move(response), ttl);
    transition.kind = Kind::kResolveUnknown;
    return Apply(transition);
  }
  TransitionResult Apply(const ports::Transition& transition) {
    return Await<TransitionResult>(
        [&](auto on_applied) { return records().Apply(transition, std::move(on_applied)); });
  }
  LookUpReservation ReserveLookUp(std::string_view key, const idempotency::Token& token,
                                  idempotency::Milliseconds pause = kLong) {
    return Await<LookUpReservation>([&](auto on_reserved) {
      return records().ReserveLookUp({std::string(key), token, pause}, std::move(on_reserved));
    });
  }
  ports::ReadResult Read(std::string_view key) {
    return Await<ports::ReadResult>(
        [&](auto on_read) { return records().Read(key, std::move(on_read)); });
  }
  /// Returns all pages of the listing.
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
        [&](auto on_answer) { return client_->notes().Read(name, std::move(on_answer)); });
  }
  ports::NoteResult WriteNote(std::string_view name, const std::optional<std::string>& replaces,
                              std::string_view value) {
    return Await<ports::NoteResult>([&](auto on_answer) {
      return client_->notes().Write(name, replaces, value, std::move(on_answer));
    });
  }
  ports::RecordIndex& index() { return client_->index(); }
  ports::LimitResult Count(const ports::LimitRequest& question) {
    return Await<ports::LimitResult>(
        [&](auto on_answer) { return client_->limiter().Count(question, std::move(on_answer)); });
  }

  /// Makes `count` calls in one turn, then turns until all are answered.
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
  using Kind = ports::Transition::Kind;
  // Only the token of such a claim is read.
  static idempotency::Claim ClaimWith(const idempotency::Token& token) {
    idempotency::Claim claim;
    claim.token = token;
    return claim;
  }

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

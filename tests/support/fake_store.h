// A record store on a virtual clock with the product's own transitions, and faults that a test asks
// for: answers that come late or never, and a store that is away. Several proxies may share one
// FakeStoreState.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/ports/record_store.h"
#include "proxy/store/record_steps.h"

namespace idem::support {

/// What is durable.
struct FakeStoreState {
  std::map<std::string, idempotency::Record, std::less<>> records;
  std::map<std::string, StoreTime, std::less<>> withdrawn;  // by token
  std::map<std::string, StoreTime, std::less<>> look_ups;   // by token: until when
};

class FakeStore final : public ports::RecordStore, public ports::RateLimiter {
 public:
  FakeStore(Loop& loop, FakeStoreState& state) : loop_(loop), state_(state) {}

  bool away = false;           // every question fails, and nothing is written
  bool foreign_value = false;  // what lies under every key is no record
  bool lose_answers = false;   // every question is carried out and answered with an error
  bool hold_answers = false;   // answers wait for Deliver()
  ports::LimitResult limit_verdict{true, 9, std::chrono::seconds(60)};
  int counted = 0;
  std::string limited_subject;  // of the last question to the limit
  int begins = 0;
  int completions = 0;

  void Deliver() {
    hold_answers = false;
    auto held = std::exchange(held_, {});
    for (auto& answer : held) loop_.Post(std::move(answer));
  }
  [[nodiscard]] StoreTime Now() const {
    return StoreTime(
        std::chrono::duration_cast<std::chrono::milliseconds>(loop_.Now().time_since_epoch()));
  }

  Ticket Begin(ports::BeginRequest question, OnBegun on_answer) override {
    ++begins;
    return Carry<ports::BeginResult>(std::move(on_answer), [&] { return DoBegin(question); });
  }
  Ticket Complete(std::string_view key, const idempotency::Claim& claim,
                  const idempotency::StoredResponse& response, idempotency::Milliseconds ttl,
                  OnSettled on_answer) override {
    ++completions;
    return Carry<ports::TransitionResult>(std::move(on_answer), [&] {
      return Apply(key, store::Complete(Present(key), claim, response, ttl, Now()));
    });
  }
  Ticket Release(std::string_view key, const idempotency::Token& token,
                 OnSettled on_answer) override {
    return Carry<ports::TransitionResult>(std::move(on_answer), [&] {
      return Apply(key, store::Release(Present(key), token, Now()));
    });
  }
  Ticket MarkUnknown(std::string_view key, const idempotency::Claim& claim,
                     OnSettled on_answer) override {
    return Carry<ports::TransitionResult>(std::move(on_answer), [&] {
      return Apply(key, store::MarkUnknown(Present(key), claim, Now()));
    });
  }
  Ticket Withdraw(std::string_view key, const idempotency::Token& token,
                  idempotency::Milliseconds lease, OnSettled on_answer) override {
    return Carry<ports::TransitionResult>(std::move(on_answer), [&] {
      state_.withdrawn[token.ToHex()] = Now() + lease;
      return Apply(key, store::Withdraw(Present(key), token, Now()));
    });
  }
  Ticket ReserveLookUp(std::string_view key, const idempotency::Token& token,
                       idempotency::Milliseconds pause, OnLookUpReserved on_answer) override {
    return Carry<ports::LookUpReservation>(std::move(on_answer), [&] {
      const auto taken = state_.look_ups.find(token.ToHex());
      const auto until =
          taken == state_.look_ups.end() ? std::optional<StoreTime>() : taken->second;
      auto answer = Apply(key, store::ReserveLookUp(Present(key), token, until, Now()));
      const bool granted = answer.kind == ports::LookUpReservation::Kind::kGranted;
      if (granted) state_.look_ups[token.ToHex()] = Now() + pause;
      return answer;
    });
  }
  Ticket ReleaseUnknown(std::string_view key, const idempotency::Token& token,
                        OnSettled on_answer) override {
    return Carry<ports::TransitionResult>(std::move(on_answer), [&] {
      return Apply(key, store::ReleaseUnknown(Present(key), token, Now()));
    });
  }
  Ticket ResolveUnknown(std::string_view key, const idempotency::Claim& claim,
                        const idempotency::StoredResponse& response, idempotency::Milliseconds ttl,
                        OnSettled on_answer) override {
    return Carry<ports::TransitionResult>(std::move(on_answer), [&] {
      return Apply(key, store::ResolveUnknown(Present(key), claim.token, response, ttl, Now()));
    });
  }
  Ticket Look(std::string_view key, OnSettled on_answer) override {
    return Carry<ports::TransitionResult>(
        std::move(on_answer), [&] { return Apply(key, store::Look(Present(key), Now())); });
  }
  Ticket Count(const ports::LimitRequest& question,
               Function<void(Result<ports::LimitResult>)> on_answer) override {
    return Carry<ports::LimitResult>(std::move(on_answer), [&] {
      ++counted;
      limited_subject = question.subject;
      return limit_verdict;
    });
  }
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override {
    return away ? std::optional<std::string>("away") : std::nullopt;
  }
  [[nodiscard]] bool limits_with_begin() const override { return true; }

 private:
  [[nodiscard]] store::StoredRecord Present(std::string_view key) const {
    const auto found = state_.records.find(key);
    if (found == state_.records.end()) return std::nullopt;
    return store::WithoutExpired(found->second, Now());
  }

  template <class Answer>
  Answer Apply(std::string_view key, store::Step<Answer> step) {
    if (step.change == store::RecordWrite::kWrite) state_.records[std::string(key)] = *step.record;
    if (step.change == store::RecordWrite::kErase) state_.records.erase(std::string(key));
    return std::move(step.answer);
  }

  ports::BeginResult DoBegin(const ports::BeginRequest& question) {
    ports::BeginResult answer;
    if (question.limit) {
      ++counted;
      limited_subject = question.limit->subject;
      answer.limit = limit_verdict;
      if (!limit_verdict.allowed) {
        answer.kind = ports::BeginResult::Kind::kLimited;
        return answer;
      }
    }
    const auto mark = state_.withdrawn.find(question.claim.token.ToHex());
    if (mark != state_.withdrawn.end() && Now() < mark->second) {
      answer.kind = ports::BeginResult::Kind::kWithdrawn;
      return answer;
    }
    auto limit = answer.limit;
    answer = Apply(question.record_key, store::Begin(Present(question.record_key), question.claim,
                                                     question.replaces, Now()));
    answer.limit = limit;
    return answer;
  }

  template <class Answer, class Act>
  Ticket Carry(Function<void(Result<Answer>)> on_answer, Act act) {
    auto [ticket, completion] = Ask<Result<Answer>>(std::move(on_answer));
    Result<Answer> answer = Error{ErrorCode::kUnavailable, "the store is away", Delivery::kNotSent};
    if (foreign_value) answer = Error{ErrorCode::kCorrupt, "it is no record", Delivery::kNotSent};
    if (!away && !foreign_value) answer = act();
    if (lose_answers)
      answer = Error{ErrorCode::kUnavailable, "the answer was lost", Delivery::kNotSent};
    auto deliver = [completion = std::move(completion), answer = std::move(answer)]() mutable {
      completion(std::move(answer));
    };
    if (hold_answers) {
      held_.push_back(std::move(deliver));
    } else {
      loop_.Post(std::move(deliver));
    }
    return std::move(ticket);
  }

  Loop& loop_;
  FakeStoreState& state_;
  std::deque<Function<void()>> held_;
};

}  // namespace idem::support

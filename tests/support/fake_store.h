// A record store on a virtual clock with the product's own steps, and with faults that a test
// switches on: answers that come late or never, and a store that is unreachable. Several proxies
// may share one FakeStoreState.
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

/// The durable state.
struct FakeStoreState {
  std::map<std::string, idempotency::Record, std::less<>> records;
  std::map<std::string, StoreTime, std::less<>> withdrawn;  // by token
  std::map<std::string, StoreTime, std::less<>> look_ups;   // by token: the end of the reservation
};

class FakeStore final : public ports::RecordStore, public ports::RateLimiter {
 public:
  FakeStore(Loop& loop, FakeStoreState& state) : loop_(loop), state_(state) {}

  bool away = false;           // every call fails and nothing is written
  bool foreign_value = false;  // the value under every key is not a record
  bool lose_answers = false;   // every call is carried out and answered with an error
  bool hold_answers = false;   // answers wait for Deliver()
  ports::LimitResult limit_verdict{true, 9, std::chrono::seconds(60)};
  int counted = 0;
  std::string limited_subject;  // subject of the last call to the limit
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

  Ticket Begin(ports::BeginRequest request, OnBegun on_begun) override {
    ++begins;
    return Carry<ports::BeginResult>(std::move(on_begun), [&] { return DoBegin(request); });
  }
  Ticket Apply(const ports::Transition& transition, OnApplied on_applied) override {
    if (transition.kind == ports::Transition::Kind::kComplete) ++completions;
    return Carry<ports::TransitionResult>(std::move(on_applied), [&] {
      if (transition.kind == ports::Transition::Kind::kWithdraw) {
        state_.withdrawn[transition.claim.token.ToHex()] = Now() + transition.claim.lease;
      }
      const std::string& key = transition.record_key;
      return Run(key, store::Apply(transition, Present(key), Now()));
    });
  }
  Ticket ReserveLookUp(const ports::LookUpRequest& request, OnLookUpReserved on_reserved) override {
    return Carry<ports::LookUpReservation>(std::move(on_reserved), [&] {
      const std::string token = request.token.ToHex();
      const auto taken = state_.look_ups.find(token);
      const auto until =
          taken == state_.look_ups.end() ? std::optional<StoreTime>() : taken->second;
      auto answer = Run(request.record_key, store::ReserveLookUp(Present(request.record_key),
                                                                 request.token, until, Now()));
      const bool granted = answer.kind == ports::LookUpReservation::Kind::kGranted;
      if (granted) state_.look_ups[token] = Now() + request.pause;
      return answer;
    });
  }
  Ticket Read(std::string_view key, OnRead on_read) override {
    return Carry<ports::ReadResult>(std::move(on_read),
                                    [&] { return Run(key, store::Read(Present(key), Now())); });
  }
  Ticket Count(const ports::LimitRequest& request, OnCounted on_counted) override {
    return Carry<ports::LimitResult>(std::move(on_counted), [&] {
      ++counted;
      limited_subject = request.subject;
      return limit_verdict;
    });
  }
  [[nodiscard]] std::optional<std::string> unavailable_reason() const override {
    return away ? std::optional<std::string>("away") : std::nullopt;
  }

 private:
  [[nodiscard]] store::StoredRecord Present(std::string_view key) const {
    const auto found = state_.records.find(key);
    if (found == state_.records.end()) return std::nullopt;
    return store::WithoutExpired(found->second, Now());
  }

  template <class Answer>
  Answer Run(std::string_view key, store::Step<Answer> step) {
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
    answer = Run(question.record_key, store::Begin(Present(question.record_key), question.claim,
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

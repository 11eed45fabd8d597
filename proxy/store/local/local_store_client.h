// What the clients of the memory and the embedded store have in common: each question becomes a
// step of record_steps.h, limits and withdrawals are answered from the memory of this process, and
// every answer is posted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/loop.h"
#include "proxy/ports/note_store.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_index.h"
#include "proxy/ports/record_store.h"
#include "proxy/store/local/limit_table.h"
#include "proxy/store/local/token_marks.h"
#include "proxy/store/record_steps.h"

namespace idem::store {

/// Shared by all clients of one store.
struct LocalState {
  LimitTable limits;
  TokenMarks withdrawals;
  TokenMarks look_ups;
};

/// Compare and set of a note: what lies there in, what lies there afterwards out.
[[nodiscard]] ports::NoteResult WriteNote(std::optional<std::string> there,
                                          const std::optional<std::string>& replaces,
                                          std::string_view value);

/// For one loop, and used on it alone.
class LocalClient : public ports::RecordStore,
                    public ports::RateLimiter,
                    public ports::RecordIndex,
                    public ports::NoteStore {
 public:
  LocalClient(LocalState& state, Loop& loop) : state_(state), loop_(loop) {}

  [[nodiscard]] Ticket Begin(ports::BeginRequest question, OnBegun on_answer) final;
  [[nodiscard]] Ticket Complete(std::string_view record_key, const idempotency::Claim& claim,
                                const idempotency::StoredResponse& response,
                                idempotency::Milliseconds ttl, OnSettled on_answer) final;
  [[nodiscard]] Ticket Release(std::string_view record_key, const idempotency::Token& token,
                               OnSettled on_answer) final;
  [[nodiscard]] Ticket MarkUnknown(std::string_view record_key, const idempotency::Claim& claim,
                                   OnSettled on_answer) final;
  [[nodiscard]] Ticket Withdraw(std::string_view record_key, const idempotency::Token& token,
                                idempotency::Milliseconds lease, OnSettled on_answer) final;
  [[nodiscard]] Ticket ReserveLookUp(std::string_view record_key, const idempotency::Token& token,
                                     idempotency::Milliseconds pause,
                                     OnLookUpReserved on_answer) final;
  [[nodiscard]] Ticket ReleaseUnknown(std::string_view record_key, const idempotency::Token& token,
                                      OnSettled on_answer) final;
  [[nodiscard]] Ticket ResolveUnknown(std::string_view record_key, const idempotency::Claim& claim,
                                      const idempotency::StoredResponse& response,
                                      idempotency::Milliseconds ttl, OnSettled on_answer) final;
  [[nodiscard]] Ticket Look(std::string_view record_key, OnSettled on_answer) final;
  [[nodiscard]] bool limits_with_begin() const final { return true; }

  [[nodiscard]] Ticket Count(const ports::LimitRequest& question,
                             Function<void(Result<ports::LimitResult>)> on_answer) final;

 protected:
  using BeginCompletion = Completion<Result<ports::BeginResult>>;
  using SettleCompletion = Completion<Result<ports::TransitionResult>>;
  using LookUpCompletion = Completion<Result<ports::LookUpReservation>>;
  using LookUpFunction = Function<LookUpStep(StoredRecord, StoreTime)>;  // called once
  using SettleFunction = Function<SettleStep(StoredRecord, StoreTime)>;  // called once

  /// The limit, if any, let it through; `question.limit` is not looked at again. The mark is: a
  /// withdrawal may come between. Answers through Answer(), with `verdict` in the answer.
  virtual void DoBegin(ports::BeginRequest question, std::optional<ports::LimitResult> verdict,
                       BeginCompletion completion) = 0;
  virtual void DoSettle(std::string record_key, SettleFunction step,
                        SettleCompletion completion) = 0;
  virtual void DoLookUp(std::string record_key, LookUpFunction step,
                        LookUpCompletion completion) = 0;
  [[nodiscard]] virtual StoreTime Now() const = 0;

  template <class Value>
  void Answer(Completion<Value> completion, Value answer) {
    loop_.Post([completion = std::move(completion), answer = std::move(answer)]() mutable {
      completion(std::move(answer));
    });
  }

  LocalState& state_;
  Loop& loop_;

 private:
  Ticket Settle(std::string_view record_key, SettleFunction step, OnSettled on_answer);
};

}  // namespace idem::store

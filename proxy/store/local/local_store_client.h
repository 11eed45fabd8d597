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
[[nodiscard]] exchange::NoteAnswer WriteNote(std::optional<std::string> there,
                                             const std::optional<std::string>& replaces,
                                             std::string_view value);

/// For one loop, and used on it alone.
class LocalClient : public exchange::RecordStore,
                    public exchange::RateLimiter,
                    public exchange::RecordIndex,
                    public exchange::Notes {
 public:
  LocalClient(LocalState& state, Loop& loop) : state_(state), loop_(loop) {}

  [[nodiscard]] Ticket Begin(exchange::BeginQuestion question, OnBegun on_answer) final;
  [[nodiscard]] Ticket Complete(std::string_view record_key, const idempotency::Claim& claim,
                                const idempotency::StoredResponse& response,
                                idempotency::Milliseconds ttl, OnSettled on_answer) final;
  [[nodiscard]] Ticket Release(std::string_view record_key, const idempotency::Token& token,
                               OnSettled on_answer) final;
  [[nodiscard]] Ticket MarkUnknown(std::string_view record_key, const idempotency::Claim& claim,
                                   OnSettled on_answer) final;
  [[nodiscard]] Ticket Withdraw(std::string_view record_key, const idempotency::Token& token,
                                idempotency::Milliseconds lease, OnSettled on_answer) final;
  [[nodiscard]] Ticket ClaimLookUp(std::string_view record_key, const idempotency::Token& token,
                                   idempotency::Milliseconds pause, OnLookUp on_answer) final;
  [[nodiscard]] Ticket ReleaseUnknown(std::string_view record_key, const idempotency::Token& token,
                                      OnSettled on_answer) final;
  [[nodiscard]] Ticket ResolveUnknown(std::string_view record_key, const idempotency::Claim& claim,
                                      const idempotency::StoredResponse& response,
                                      idempotency::Milliseconds ttl, OnSettled on_answer) final;
  [[nodiscard]] Ticket Look(std::string_view record_key, OnSettled on_answer) final;
  [[nodiscard]] bool limits_with_begin() const final { return true; }

  [[nodiscard]] Ticket Count(const exchange::LimitQuestion& question,
                             Function<void(Result<exchange::LimitVerdict>)> on_answer) final;

 protected:
  using BeginCompletion = Completion<Result<exchange::BeginAnswer>>;
  using SettleCompletion = Completion<Result<exchange::SettleAnswer>>;
  using LookUpCompletion = Completion<Result<exchange::LookUpAnswer>>;
  using LookUpFunction = Function<LookUpStep(Present, StoreTime)>;  // called once
  using SettleFunction = Function<SettleStep(Present, StoreTime)>;  // called once

  /// The limit, if any, let it through; `question.limit` is not looked at again. The mark is: a
  /// withdrawal may come between. Answers through Answer(), with `verdict` in the answer.
  virtual void DoBegin(exchange::BeginQuestion question,
                       std::optional<exchange::LimitVerdict> verdict,
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

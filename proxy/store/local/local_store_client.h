// The common part of the memory and the embedded store's clients. Each request becomes a step of
// record_steps.h; limits, withdrawals and look-up reservations are kept in the memory of this
// process; every answer is posted to the loop.
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

/// Compares and sets a note: takes its present value and returns the one afterwards.
[[nodiscard]] ports::NoteResult WriteNote(std::optional<std::string> present,
                                          const std::optional<std::string>& replaces,
                                          std::string_view value);

/// For one loop, and used only on it.
class LocalClient : public ports::RecordStore,
                    public ports::RateLimiter,
                    public ports::RecordIndex,
                    public ports::NoteStore {
 public:
  LocalClient(LocalState& state, Loop& loop) : state_(state), loop_(loop) {}

  [[nodiscard]] Ticket Begin(ports::BeginRequest request, OnBegun on_begun) final;
  [[nodiscard]] Ticket Apply(const ports::Transition& transition, OnApplied on_applied) final;
  [[nodiscard]] Ticket ReserveLookUp(const ports::LookUpRequest& request,
                                     OnLookUpReserved on_reserved) final;
  [[nodiscard]] Ticket Read(std::string_view record_key, OnRead on_read) final;
  [[nodiscard]] Ticket Count(const ports::LimitRequest& request, OnCounted on_counted) final;

 protected:
  using BeginCompletion = Completion<Result<ports::BeginResult>>;
  /// A step and its completion; both are called once.
  template <class Answer>
  struct Task {
    std::string record_key;
    Function<Step<Answer>(StoredRecord, StoreTime)> step;
    Completion<Result<Answer>> completion;
  };
  using ApplyTask = Task<ports::TransitionResult>;
  using LookUpTask = Task<ports::LookUpReservation>;
  using ReadTask = Task<ports::ReadResult>;

  /// The limit, if any, has allowed the request; `request.limit` is no longer read. The withdrawal
  /// mark is checked again, because a withdrawal may come between. Answers through Answer(), with
  /// `verdict` in the answer.
  virtual void RunBegin(ports::BeginRequest request, std::optional<ports::LimitResult> verdict,
                        BeginCompletion completion) = 0;
  virtual void Run(ApplyTask task) = 0;
  virtual void Run(LookUpTask task) = 0;
  virtual void Run(ReadTask task) = 0;
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
  template <class Value, class StepFunction>
  Ticket RunStep(std::string_view record_key, StepFunction step,
                 Function<void(Result<Value>)> on_answer);
};

}  // namespace idem::store

// An asynchronous call: the caller gets one answer later, on the same loop, or none if it withdraws
// first.
//
//   caller:    ticket_ = store.Begin(request, [this](auto answer) { OnBegun(std::move(answer)); });
//
//   callee:    auto [ticket, completion] = Ask<Result<BeginResult>>(std::move(callback));
//              ... keeps the completion, returns the ticket; later, on the caller's loop:
//              completion(result);
//
// Dropping a Ticket withdraws the call: the callback is destroyed and never runs. A Completion
// answers once; dropping one whose answer is still awaited is a bug and trips an INVARIANT. Both
// may be moved. A Completion may travel to another thread and back, but it must be called on the
// loop of the caller, where the Ticket lives.
#pragma once

#include <atomic>
#include <utility>

#include "proxy/base/function.h"
#include "proxy/base/invariant.h"

namespace idem {

namespace ticket_internal {

struct Question {
  virtual ~Question() = default;
  virtual void Withdraw() = 0;
  std::atomic<int> owners{1};
  std::atomic<bool> awaited{true};
};

template <class Answer>
struct QuestionOf : Question {
  explicit QuestionOf(Function<void(Answer)> on_answer) : callback(std::move(on_answer)) {}
  void Withdraw() override {
    awaited.store(false, std::memory_order_relaxed);
    callback = nullptr;
  }
  Function<void(Answer)> callback;
};

/// Shared by one ticket and one completion.
template <class Q>
class Owner {
 public:
  Owner() = default;
  explicit Owner(Q* question) : question_(question) {}
  Owner(Owner&& other) noexcept : question_(std::exchange(other.question_, nullptr)) {}
  Owner& operator=(Owner&& other) noexcept {
    std::swap(question_, other.question_);
    return *this;
  }
  ~Owner() {
    if (question_ != nullptr && question_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete question_;
    }
  }
  Q* operator->() const { return question_; }
  explicit operator bool() const { return question_ != nullptr; }

 private:
  Q* question_ = nullptr;
};

}  // namespace ticket_internal

/// The caller's half. It is empty when default-constructed and stays non-empty after the answer,
/// until it is dropped or reassigned.
class [[nodiscard]] Ticket {
 public:
  Ticket() = default;
  explicit Ticket(ticket_internal::Question* question) : question_(question) {}
  Ticket(Ticket&&) noexcept = default;
  Ticket& operator=(Ticket&& other) noexcept {
    Withdraw();
    question_ = std::move(other.question_);
    return *this;
  }
  ~Ticket() { Withdraw(); }

  /// Cancels the call; its callback never runs. Does nothing if the call was answered or the ticket
  /// is empty.
  void Withdraw() {
    if (!question_) return;
    question_->Withdraw();
    question_ = {};
  }
  /// Returns true if the call is neither answered nor withdrawn.
  [[nodiscard]] bool open() const {
    return question_ && question_->awaited.load(std::memory_order_relaxed);
  }

 private:
  ticket_internal::Owner<ticket_internal::Question> question_;
};

/// The callee's half.
template <class Answer>
class [[nodiscard]] Completion {
 public:
  Completion() = default;
  explicit Completion(ticket_internal::QuestionOf<Answer>* question) : question_(question) {}
  Completion(Completion&&) noexcept = default;
  Completion& operator=(Completion&& other) noexcept {
    INVARIANT(!awaited());
    question_ = std::move(other.question_);
    return *this;
  }
  ~Completion() { INVARIANT(!awaited()); }

  /// Runs the callback if it is still awaited, and leaves this empty. Call it on the caller's loop,
  /// never from inside the call that returned the ticket.
  void operator()(Answer answer) {
    INVARIANT(static_cast<bool>(question_));
    auto question = std::move(question_);
    if (!question->awaited.exchange(false, std::memory_order_relaxed)) return;
    auto callback = std::move(question->callback);
    callback(std::move(answer));
  }
  /// Returns false once the caller has withdrawn; the callee may then skip the work.
  [[nodiscard]] bool awaited() const {
    return question_ && question_->awaited.load(std::memory_order_relaxed);
  }

 private:
  ticket_internal::Owner<ticket_internal::QuestionOf<Answer>> question_;
};

template <class Answer>
std::pair<Ticket, Completion<Answer>> Ask(Function<void(Answer)> callback) {
  auto* question = new ticket_internal::QuestionOf<Answer>(std::move(callback));
  question->owners.store(2, std::memory_order_relaxed);
  return {Ticket(question), Completion<Answer>(question)};
}

}  // namespace idem

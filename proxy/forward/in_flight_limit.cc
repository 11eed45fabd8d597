#include "proxy/forward/in_flight_limit.h"

namespace idem::forward {

/// Withdrawing waits for an answer that is being posted, so that a loop may be destroyed once its
/// callers have withdrawn.
struct InFlightLimit::Question final : ticket_internal::QuestionOf<Slot> {
  Question(InFlightLimit& asked, Function<void(Slot)> on_slot)
      : QuestionOf(std::move(on_slot)), limit(asked) {
    owners.store(2, std::memory_order_relaxed);
  }
  void Withdraw() override {
    const std::lock_guard lock(limit.mutex_);
    QuestionOf::Withdraw();
  }
  InFlightLimit& limit;
};

InFlightLimit::~InFlightLimit() { INVARIANT(in_flight_ == 0); }

Ticket InFlightLimit::Enter(Loop& loop, Function<void(Slot)> on_slot) {
  auto* question = new Question(*this, std::move(on_slot));
  Ticket ticket(question);
  Waiting waiting{&loop, Completion<Slot>(question)};
  const std::lock_guard lock(mutex_);
  if (in_flight_ >= max_) DropWithdrawn();
  if (in_flight_ < max_ && queue_.empty()) {
    ++in_flight_;
    Answer(std::move(waiting), Slot(this));
  } else if (queue_.size() < max_) {
    queue_.push_back(std::move(waiting));
  } else {
    Answer(std::move(waiting), Slot());
  }
  return ticket;
}

void InFlightLimit::SetMax(std::size_t max) {
  const std::lock_guard lock(mutex_);
  max_ = max;
  AdmitWaiting();
}

std::size_t InFlightLimit::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

void InFlightLimit::Leave() {
  const std::lock_guard lock(mutex_);
  --in_flight_;
  AdmitWaiting();
}

void InFlightLimit::AdmitWaiting() {
  while (in_flight_ < max_ && !queue_.empty()) {
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    if (!next.completion.awaited()) continue;
    ++in_flight_;
    Answer(std::move(next), Slot(this));
  }
}

/// All callers wait equally long, so the first ones give up first. The others are checked only when
/// the queue would overflow.
void InFlightLimit::DropWithdrawn() {
  while (!queue_.empty() && !queue_.front().completion.awaited()) queue_.pop_front();
  if (queue_.size() < max_) return;
  std::deque<Waiting> awaited;
  for (Waiting& waiting : queue_) {
    if (waiting.completion.awaited()) awaited.push_back(std::move(waiting));
  }
  queue_ = std::move(awaited);
}

/// Requires the lock and a call that is still awaited. If the caller withdraws before the task
/// runs, or its loop ends, the slot comes back when the task is destroyed.
void InFlightLimit::Answer(Waiting waiting, Slot slot) {
  waiting.loop->Post([completion = std::move(waiting.completion),
                      granted = std::move(slot)]() mutable { completion(std::move(granted)); });
}

}  // namespace idem::forward

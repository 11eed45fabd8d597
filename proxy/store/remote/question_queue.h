// The questions of a store to its server, from the caller until the answer:
//
//   Ask() ─▶ waiting ──(the owner sends them)──▶ sent ──(the owner matches a reply)──▶ Answer()
//              │ full, unreachable, too late      │ lost, too late
//              └──▶ an error                      └──▶ an error: it may have taken effect
//
// The queue limits how much is taken in and how long each question takes. Its owner decides what is
// sent, and which reply belongs to which question.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "proxy/base/loop.h"
#include "proxy/store/remote/remote_link.h"

namespace idem::store {

struct QuestionLimits {
  std::chrono::milliseconds timeout{500};  // of one question, waiting included
  /// Time without progress after which the link is dropped; zero: never.
  std::chrono::milliseconds silence_max{0};
  // Beyond them questions are refused.
  std::size_t questions_max = 16 * 1024;
  std::size_t bytes_max = 64UL << 20;
};

/// Questions that are not answered, and their bytes.
struct QuestionLoad {
  std::size_t questions = 0;
  std::size_t bytes = 0;
};

/// Part of every entry of a queue. An entry also has
///
///   std::size_t bytes() const                     its share of `bytes_max`
///   Function<void(Result<Reply>)> TakeCallback()  called once, to answer; frees memory that
///                                                 only sending needed
struct QuestionState {
  BootTime deadline{};
  bool answered = false;  // it may still be in sent(), because its reply is to come
};

template <class Entry>
class QuestionQueue {
 public:
  /// `send` sends what waits; SendLater() calls it.
  QuestionQueue(Loop& loop, RemoteLink& link, const QuestionLimits& limits, Function<void()> send)
      : loop_(loop), link_(link), limits_(limits), send_(std::move(send)) {}

  /// Takes a question in, or fails it on a later turn and returns false. `others` counts towards
  /// the limits too.
  bool Ask(Entry entry, QuestionLoad others = {}) {
    if (std::optional<Error> refusal = Refusal(others)) {
      loop_.Post([on_answer = entry.TakeCallback(), error = std::move(*refusal)]() mutable {
        on_answer(std::move(error));
      });
      return false;
    }
    bytes_ += entry.bytes();
    entry.deadline = loop_.Now() + limits_.timeout;
    waiting_.push_back(std::move(entry));
    ArmTimer();
    return true;
  }

  /// Calls `send` once, on a later turn, so that all questions of this turn leave together.
  void SendLater() {
    if (turn_end_.open()) return;
    auto [ticket, completion] = idem::Ask<std::monostate>([this](std::monostate) { send_(); });
    turn_end_ = std::move(ticket);
    loop_.Post([turn_end = std::move(completion)]() mutable { turn_end({}); });
  }

  /// In the order of sending. The owner moves entries from one to the other.
  std::deque<Entry>& waiting() { return waiting_; }
  std::deque<Entry>& sent() { return sent_; }

  /// Answers an entry of waiting() or sent(), or one that was taken out of them. The callback may
  /// ask new questions, which are appended to waiting().
  template <class Reply>
  void Answer(Entry& entry, Reply reply) {
    entry.answered = true;
    bytes_ -= entry.bytes();
    auto on_answer = entry.TakeCallback();
    on_answer(std::move(reply));
  }

  /// Called when the server replied, or when a question is sent and none was before.
  void NoteProgress() { progress_ = loop_.Now(); }

  /// Called when the link was lost: fails every question that was sent.
  void FailSent(const Error& why) {
    std::deque<Entry> lost = std::exchange(sent_, {});
    const Error unknown{ErrorCode::kUnavailable,
                        why.detail + "; the question may have taken effect"};
    for (Entry& entry : lost) {
      if (!entry.answered) Answer(entry, unknown);
    }
    ArmTimer();
  }

  [[nodiscard]] QuestionLoad load() const { return {waiting_.size() + sent_.size(), bytes_}; }

  /// The reason why questions are not answered now; null while they are.
  [[nodiscard]] std::optional<std::string> unavailable_reason() const {
    if (!link_.ready()) return link_.unavailable_reason().detail;
    if (is_silent_for(limits_.timeout)) return link_.where() + " does not answer";
    return {};
  }

 private:
  [[nodiscard]] std::optional<Error> Refusal(QuestionLoad others) const {
    const bool full = load().questions + others.questions >= limits_.questions_max ||
                      bytes_ + others.bytes >= limits_.bytes_max;
    if (full) return link_.Fail(ErrorCode::kUnavailable, "has too many questions to answer");
    if (!link_.within_grace()) return link_.unavailable_reason();
    return {};
  }

  // One timer for all questions checks each deadline eight times in a timeout's length, which costs
  // less than a timer for each question.
  void ArmTimer() {
    if (timer_.open() || (waiting_.empty() && sent_.empty())) return;
    timer_ = loop_.After(limits_.timeout / 8, [this] { OnTimer(); });
  }

  void OnTimer() {
    const BootTime now = loop_.Now();
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      Entry& entry = sent_[i];
      if (entry.answered || entry.deadline > now) continue;
      Answer(entry, link_.Fail(ErrorCode::kTimeout, "did not answer in time"));
    }
    EndOverdue(now);
    if (limits_.silence_max.count() > 0 && is_silent_for(limits_.silence_max)) {
      link_.Drop(link_.Fail(ErrorCode::kTimeout, "does not answer"));
    }
    ArmTimer();
  }

  // The entries that stay keep their order.
  void EndOverdue(BootTime now) {
    const bool all = !link_.within_grace();
    for (std::size_t count = waiting_.size(); count > 0; --count) {
      Entry entry = std::move(waiting_.front());
      waiting_.pop_front();
      if (all || entry.deadline <= now) {
        Answer(entry, link_.ready() ? link_.Fail(ErrorCode::kTimeout, "is too busy")
                                    : link_.unavailable_reason());
      } else {
        waiting_.push_back(std::move(entry));
      }
    }
  }

  [[nodiscard]] bool is_silent_for(Duration time) const {
    return !sent_.empty() && loop_.Now() - progress_ >= time;
  }

  Loop& loop_;
  RemoteLink& link_;
  const QuestionLimits limits_;
  Function<void()> send_;
  std::deque<Entry> waiting_;
  std::deque<Entry> sent_;
  std::size_t bytes_ = 0;  // of questions that are not answered
  BootTime progress_{};
  Ticket turn_end_;
  Ticket timer_;
};

}  // namespace idem::store

// Every arrow of the record's picture (semantics.md, "The record"), and every missing one: the
// effect of each step on each record, with the record's token and with another one. The pure steps
// and every store must agree with this table.
#pragma once

#include <ostream>
#include <string_view>

#include "proxy/ports/record_store.h"

namespace idem::contract {

enum class From { kAbsent, kExecuting, kLeaseEnded, kUnknown, kCompleted };
enum class Ask {
  kBegin,
  kTakeOver,
  kComplete,
  kMarkUnknown,
  kRelease,
  kWithdraw,
  kReleaseUnknown,
  kResolveUnknown
};
enum class Whose { kMine, kAnothers };
enum class Reply { kClaimed, kHeld, kDone, kRewritten, kGone };
enum class After { kAbsent, kExecuting, kUnknown, kCompleted };

struct Arrow {
  From from;
  Ask ask;
  Whose token;  // whether the call carries the record's token (kTakeOver replaces that one)
  Reply reply;
  After after;
};

// clang-format off
inline constexpr Arrow kArrows[] = {
    {From::kAbsent, Ask::kBegin,       Whose::kMine, Reply::kClaimed,   After::kExecuting},
    {From::kAbsent, Ask::kTakeOver,    Whose::kMine, Reply::kClaimed,   After::kExecuting},
    {From::kAbsent, Ask::kComplete,    Whose::kMine, Reply::kRewritten, After::kCompleted},
    {From::kAbsent, Ask::kMarkUnknown, Whose::kMine, Reply::kRewritten, After::kUnknown},
    {From::kAbsent, Ask::kRelease,     Whose::kMine, Reply::kDone,      After::kAbsent},
    {From::kAbsent, Ask::kWithdraw,    Whose::kMine, Reply::kDone,      After::kAbsent},

    {From::kExecuting, Ask::kBegin,       Whose::kMine, Reply::kClaimed, After::kExecuting},
    {From::kExecuting, Ask::kTakeOver,    Whose::kMine, Reply::kHeld,    After::kExecuting},
    {From::kExecuting, Ask::kComplete,    Whose::kMine, Reply::kDone,    After::kCompleted},
    {From::kExecuting, Ask::kMarkUnknown, Whose::kMine, Reply::kDone,    After::kUnknown},
    {From::kExecuting, Ask::kRelease,     Whose::kMine, Reply::kDone,    After::kAbsent},
    {From::kExecuting, Ask::kWithdraw,    Whose::kMine, Reply::kDone,    After::kAbsent},
    {From::kExecuting, Ask::kBegin,       Whose::kAnothers, Reply::kHeld, After::kExecuting},
    {From::kExecuting, Ask::kTakeOver,    Whose::kAnothers, Reply::kHeld, After::kExecuting},
    {From::kExecuting, Ask::kComplete,    Whose::kAnothers, Reply::kHeld, After::kExecuting},
    {From::kExecuting, Ask::kMarkUnknown, Whose::kAnothers, Reply::kHeld, After::kExecuting},
    {From::kExecuting, Ask::kRelease,     Whose::kAnothers, Reply::kHeld, After::kExecuting},
    {From::kExecuting, Ask::kWithdraw,    Whose::kAnothers, Reply::kDone, After::kExecuting},

    {From::kLeaseEnded, Ask::kBegin,       Whose::kMine, Reply::kClaimed, After::kUnknown},
    {From::kLeaseEnded, Ask::kTakeOver,    Whose::kMine, Reply::kClaimed, After::kExecuting},
    {From::kLeaseEnded, Ask::kComplete,    Whose::kMine, Reply::kDone,    After::kCompleted},
    {From::kLeaseEnded, Ask::kMarkUnknown, Whose::kMine, Reply::kDone,    After::kUnknown},
    {From::kLeaseEnded, Ask::kRelease,     Whose::kMine, Reply::kDone,    After::kAbsent},
    {From::kLeaseEnded, Ask::kWithdraw,    Whose::kMine, Reply::kDone,    After::kAbsent},
    {From::kLeaseEnded, Ask::kBegin,       Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kLeaseEnded, Ask::kTakeOver,    Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kLeaseEnded, Ask::kComplete,    Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kLeaseEnded, Ask::kMarkUnknown, Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kLeaseEnded, Ask::kRelease,     Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kLeaseEnded, Ask::kWithdraw,    Whose::kAnothers, Reply::kDone, After::kUnknown},

    {From::kUnknown, Ask::kBegin,       Whose::kMine, Reply::kHeld,    After::kUnknown},
    {From::kUnknown, Ask::kTakeOver,    Whose::kMine, Reply::kClaimed, After::kExecuting},
    {From::kUnknown, Ask::kComplete,    Whose::kMine, Reply::kDone,    After::kCompleted},
    {From::kUnknown, Ask::kMarkUnknown, Whose::kMine, Reply::kDone,    After::kUnknown},
    {From::kUnknown, Ask::kRelease,     Whose::kMine, Reply::kDone,    After::kAbsent},
    {From::kUnknown, Ask::kWithdraw,    Whose::kMine, Reply::kDone,    After::kAbsent},
    {From::kUnknown, Ask::kBegin,       Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kUnknown, Ask::kTakeOver,    Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kUnknown, Ask::kComplete,    Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kUnknown, Ask::kMarkUnknown, Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kUnknown, Ask::kRelease,     Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kUnknown, Ask::kWithdraw,    Whose::kAnothers, Reply::kDone, After::kUnknown},

    {From::kCompleted, Ask::kBegin,       Whose::kMine, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kTakeOver,    Whose::kMine, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kComplete,    Whose::kMine, Reply::kDone, After::kCompleted},
    {From::kCompleted, Ask::kMarkUnknown, Whose::kMine, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kRelease,     Whose::kMine, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kWithdraw,    Whose::kMine, Reply::kDone, After::kCompleted},
    {From::kCompleted, Ask::kBegin,       Whose::kAnothers, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kTakeOver,    Whose::kAnothers, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kComplete,    Whose::kAnothers, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kMarkUnknown, Whose::kAnothers, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kRelease,     Whose::kAnothers, Reply::kHeld, After::kCompleted},
    {From::kCompleted, Ask::kWithdraw,    Whose::kAnothers, Reply::kDone, After::kCompleted},

    // An operator's steps apply only to a record that is unknown, or executing with its lease
    // ended.
    {From::kAbsent,     Ask::kReleaseUnknown, Whose::kMine, Reply::kDone, After::kAbsent},
    {From::kExecuting,  Ask::kReleaseUnknown, Whose::kMine, Reply::kHeld, After::kExecuting},
    {From::kLeaseEnded, Ask::kReleaseUnknown, Whose::kMine, Reply::kDone, After::kAbsent},
    {From::kUnknown,    Ask::kReleaseUnknown, Whose::kMine, Reply::kDone, After::kAbsent},
    {From::kCompleted,  Ask::kReleaseUnknown, Whose::kMine, Reply::kHeld, After::kCompleted},
    {From::kExecuting,  Ask::kReleaseUnknown, Whose::kAnothers, Reply::kHeld, After::kExecuting},
    {From::kLeaseEnded, Ask::kReleaseUnknown, Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kUnknown,    Ask::kReleaseUnknown, Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kCompleted,  Ask::kReleaseUnknown, Whose::kAnothers, Reply::kHeld, After::kCompleted},

    {From::kAbsent,     Ask::kResolveUnknown, Whose::kMine, Reply::kGone, After::kAbsent},
    {From::kExecuting,  Ask::kResolveUnknown, Whose::kMine, Reply::kHeld, After::kExecuting},
    {From::kLeaseEnded, Ask::kResolveUnknown, Whose::kMine, Reply::kDone, After::kCompleted},
    {From::kUnknown,    Ask::kResolveUnknown, Whose::kMine, Reply::kDone, After::kCompleted},
    {From::kCompleted,  Ask::kResolveUnknown, Whose::kMine, Reply::kDone, After::kCompleted},
    {From::kExecuting,  Ask::kResolveUnknown, Whose::kAnothers, Reply::kHeld, After::kExecuting},
    {From::kLeaseEnded, Ask::kResolveUnknown, Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kUnknown,    Ask::kResolveUnknown, Whose::kAnothers, Reply::kHeld, After::kUnknown},
    {From::kCompleted,  Ask::kResolveUnknown, Whose::kAnothers, Reply::kHeld, After::kCompleted},
};
// clang-format on

/// Returns the reply to the same call when it is repeated.
constexpr Reply AskedTwice(Reply first) {
  return first == Reply::kRewritten ? Reply::kDone : first;
}

constexpr Reply ReplyOf(ports::BeginResult::Kind kind) {
  INVARIANT(kind == ports::BeginResult::Kind::kClaimed || kind == ports::BeginResult::Kind::kHeld);
  return kind == ports::BeginResult::Kind::kHeld ? Reply::kHeld : Reply::kClaimed;
}

constexpr Reply ReplyOf(ports::TransitionResult::Kind kind) {
  using Kind = ports::TransitionResult::Kind;
  if (kind == Kind::kHeld) return Reply::kHeld;
  if (kind == Kind::kGone) return Reply::kGone;
  return kind == Kind::kDone ? Reply::kDone : Reply::kRewritten;
}

inline After StateOf(const std::optional<idempotency::Record>& record, StoreTime now) {
  using idempotency::RecordState;
  if (!record) return After::kAbsent;
  const RecordState state = record->state_at(now);
  if (state == RecordState::kExecuting) return After::kExecuting;
  return state == RecordState::kUnknown ? After::kUnknown : After::kCompleted;
}

inline std::ostream& operator<<(std::ostream& out, From from) {
  constexpr std::string_view kNames[] = {"absent", "executing", "lease ended", "unknown",
                                         "completed"};
  return out << kNames[static_cast<int>(from)];
}
inline std::ostream& operator<<(std::ostream& out, Ask ask) {
  constexpr std::string_view kNames[] = {"begin",           "take over",      "complete",
                                         "mark unknown",    "release",        "withdraw",
                                         "release unknown", "resolve unknown"};
  return out << kNames[static_cast<int>(ask)];
}
inline std::ostream& operator<<(std::ostream& out, Whose whose) {
  return out << (whose == Whose::kMine ? "mine" : "another's");
}
inline std::ostream& operator<<(std::ostream& out, Reply reply) {
  constexpr std::string_view kNames[] = {"claimed", "held", "done", "rewritten", "gone"};
  return out << kNames[static_cast<int>(reply)];
}
inline std::ostream& operator<<(std::ostream& out, After after) {
  constexpr std::string_view kNames[] = {"absent", "executing", "unknown", "completed"};
  return out << kNames[static_cast<int>(after)];
}

}  // namespace idem::contract

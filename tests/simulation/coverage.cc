#include "tests/simulation/coverage.h"

#include <algorithm>
#include <iomanip>

namespace idem::simulation {

namespace {

constexpr std::string_view kMetNames[] = {
    "absent",
    "absent: a completed record expired",
    "absent: an unknown record expired",
    "executing, my own token",
    "executing, another request",
    "executing, another request, lease run out",
    "completed, another request",
    "unknown, another request",
    "completed, same request: replay",
    "completed, same request: not kept",
    "executing, same request, lease alive",
    "lease run out: claim and asker idempotent",
    "lease run out: claim idempotent, asker legacy",
    "lease run out: claim legacy, asker idempotent",
    "lease run out: claim and asker legacy",
    "unknown: claim and asker idempotent",
    "unknown: claim idempotent, asker legacy",
    "unknown: claim legacy, asker idempotent",
    "unknown: claim and asker legacy",
    "held by another recipe",
    "held by a recipe of a later version",
    "taken over",
    "take-over came too late",
    "unknown, to be looked up: too early",
    "unknown, to be looked up: due",
    "begin after its withdrawal",
    "refused by the rate limit",
};
constexpr std::string_view kSawNames[] = {
    "refused",
    "no slot",
    "lease no longer covers the waits",
    "2xx",
    "3xx",
    "4xx",
    "401 407 421 425 429",
    "409",
    "408 502 503 504, or of a hop",
    "any other 5xx",
    "timeout",
    "reset",
    "truncated",
    "malformed",
    "too large to keep",
    "too large to keep, cut",
    "this process died",
};
constexpr std::string_view kLookedUpNames[] = {
    "another has the right to look up",
    "settled before the right was asked for",
    "found",
    "found: recorded",
    "found: another outcome was recorded meanwhile",
    "not there",
    "not there: executed",
    "unclear: 500",
    "unclear: timeout",
    "unclear: truncated",
    "unclear: too large to keep",
};
constexpr std::string_view kExcusedNames[] = {
    "effect made once more: the store forgot the claim of the first",
    "another answer, or none: the store forgot the first",
};
constexpr std::string_view kFaultNames[] = {
    "store answered late",
    "store's answer lost",
    "question to the store lost",
    "store carried a step out twice",
    "store away",
    "store failed over and lost writes",
    "store's clock jumped ahead",
    "store's clock stood still",
    "withdrawal arrived before its begin",
    "process died",
    "process died with a claim",
    "process restarted",
    "process suspended",
    "configuration reloaded",
    "process drained, and had nothing left to do",
    "grace of a drain ran out over a claim",
    "lease ran out while the backend worked",
    "effect made after the call was given up",
    "effect made, answer lost",
    "client left",
    "client left within its body",
    "client retried",
    "duplicate at another replica",
    "duplicate waited",
    "duplicate waited too long",
    "too many waited",
    "answer unrecorded",
    "too much unrecorded: refused",
    "same key, another request",
    "unknown told",
    "rate limit refused",
    "store unavailable told",
    "unknown released by an operator",
    "unknown resolved by an operator",
};

static_assert(std::size(kMetNames) == static_cast<std::size_t>(Met::kCount));
static_assert(std::size(kSawNames) == static_cast<std::size_t>(Saw::kCount));
static_assert(std::size(kLookedUpNames) == static_cast<std::size_t>(LookedUp::kCount));
static_assert(std::size(kFaultNames) == static_cast<std::size_t>(Fault::kCount));

template <class To>
void AddTo(To& to, const To& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

template <class Counts>
int Zeros(const Counts& counts) {
  return static_cast<int>(std::count(counts.begin(), counts.end(), 0U));
}

void PrintCount(std::ostream& out, std::uint64_t count) { out << std::setw(12) << count; }

}  // namespace

void Coverage::CountWorld(std::uint64_t effects, std::uint64_t answers) {
  ++worlds_;
  effects_ += effects;
  answers_ += answers;
}

void Coverage::Add(const Coverage& other) {
  AddTo(met_, other.met_);
  AddTo(saw_[0], other.saw_[0]);
  AddTo(saw_[1], other.saw_[1]);
  AddTo(looked_up_, other.looked_up_);
  AddTo(faults_, other.faults_);
  AddTo(excused_, other.excused_);
  worlds_ += other.worlds_;
  effects_ += other.effects_;
  answers_ += other.answers_;
}

void Coverage::Print(std::ostream& out) const {
  out << "worlds " << worlds_ << ", effects " << effects_ << ", answers " << answers_ << "\n";
  out << "\n       times  what begin met\n";
  for (std::size_t i = 0; i < met_.size(); ++i) {
    PrintCount(out, met_[i]);
    out << "  " << kMetNames[i] << "\n";
  }
  out << "\n      legacy  idempotent  what was seen of the backend\n";
  for (std::size_t i = 0; i < saw_[0].size(); ++i) {
    PrintCount(out, saw_[0][i]);
    PrintCount(out, saw_[1][i]);
    out << "  " << kSawNames[i] << "\n";
  }
  out << "\n       times  what became of a look-up\n";
  for (std::size_t i = 0; i < looked_up_.size(); ++i) {
    PrintCount(out, looked_up_[i]);
    out << "  " << kLookedUpNames[i] << "\n";
  }
  out << "\n       times  fault\n";
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    PrintCount(out, faults_[i]);
    out << "  " << kFaultNames[i] << "\n";
  }
  out << "\n       times  excused by the auditor\n";
  for (std::size_t i = 0; i < excused_.size(); ++i) {
    PrintCount(out, excused_[i]);
    out << "  " << kExcusedNames[i] << "\n";
  }
}

int Coverage::zeros() const {
  return Zeros(met_) + Zeros(saw_[0]) + Zeros(saw_[1]) + Zeros(looked_up_) + Zeros(faults_) +
         Zeros(excused_);
}

bool Coverage::excuses_too_much() const {
  const auto times = [&](Excused row) { return excused_[static_cast<std::size_t>(row)]; };
  return times(Excused::kEffect) * 100 > effects_ || times(Excused::kAnswer) * 100 > answers_;
}

}  // namespace idem::simulation

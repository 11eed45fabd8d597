#include "proxy/idempotency/advice.h"

#include <algorithm>
#include <iterator>

namespace idem::idempotency {

namespace {

// The first request with the key decides: while nobody knows what became of it, a person has to
// look; an effect is there to stay; after a refusal nothing was done.
Advice AdviseMismatch(const Circumstances& at) {
  if (at.record != RecordStanding::kCompleted) return Advice::kSettle;
  if (IsRefusal(at.recorded_status)) return Advice::kCorrect;
  return at.recorded_status < 400 ? Advice::kNever : Advice::kSettle;
}

// A request of which nothing was written, or whose record answers its retry, is safe to send again.
Advice AdviseAfterForwarding(const Circumstances& at) {
  return at.record == RecordStanding::kUnknown ? Advice::kSettle : Advice::kSameKey;
}

}  // namespace

std::string_view AdviceText(Advice advice) {
  switch (advice) {
    case Advice::kSameKey:
      return "same-key";
    case Advice::kCorrect:
      return "correct";
    case Advice::kSettle:
      return "settle";
    case Advice::kNever:
      break;
  }
  return "never";
}

bool IsRepeatable(std::string_view method) {
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::ranges::find(kMethods, method) != std::end(kMethods);
}

bool IsRefusal(std::uint16_t status) {
  constexpr std::uint16_t kNot[] = {408, 409, 460, 499};
  return status >= 400 && status <= 499 && std::ranges::find(kNot, status) == std::end(kNot);
}

bool IsUnprotected(const Circumstances& at) {
  return at.written && at.record == RecordStanding::kNone && !at.repeatable &&
         !at.upstream_idempotent;
}

// problem                   record                advice
// any, unprotected          none                  settle
// malformed                 any                   correct
// refused, not kept         any                   never
// not now, in progress      any                   same-key
// mismatch                  executing, unknown    settle
//                           completed: 2xx, 3xx   never
//                           completed: a refusal  correct
//                           completed: any other  settle
// outcome unknown           looked up             same-key
//                           any other             settle
// upstream failed           unknown               settle
//                           any other             same-key
Advice Advise(const Circumstances& at) {
  if (IsUnprotected(at)) return Advice::kSettle;
  switch (at.problem) {
    case ProblemKind::kMalformed:
      return Advice::kCorrect;
    case ProblemKind::kNotNow:
    case ProblemKind::kInProgress:
      return Advice::kSameKey;
    case ProblemKind::kMismatch:
      return AdviseMismatch(at);
    case ProblemKind::kOutcomeUnknown:
      return at.record == RecordStanding::kLookedUp ? Advice::kSameKey : Advice::kSettle;
    case ProblemKind::kUpstreamFailed:
      return AdviseAfterForwarding(at);
    case ProblemKind::kRefused:
    case ProblemKind::kNotKept:
      break;
  }
  return Advice::kNever;
}

}  // namespace idem::idempotency

#include "proxy/store/remote/step_words.h"

namespace idem::store {
namespace {

using ports::BeginResult;
using ports::LookUpReservation;
using ports::TransitionResult;

template <class Kind>
struct Word {
  std::string_view word;
  Kind kind;
};

constexpr Word<BeginResult::Kind> kBeginWords[] = {
    {"claimed", BeginResult::Kind::kClaimed},
    {"held", BeginResult::Kind::kHeld},
    {"limited", BeginResult::Kind::kLimited},
    {"withdrawn", BeginResult::Kind::kWithdrawn},
};

constexpr Word<TransitionResult::Kind> kTransitionWords[] = {
    {"done", TransitionResult::Kind::kDone},
    {"rewritten", TransitionResult::Kind::kRewritten},
    {"held", TransitionResult::Kind::kHeld},
    {"gone", TransitionResult::Kind::kGone},
};

constexpr Word<LookUpReservation::Kind> kLookUpWords[] = {
    {"granted", LookUpReservation::Kind::kGranted},
    {"taken", LookUpReservation::Kind::kTaken},
    {"changed", LookUpReservation::Kind::kChanged},
};

template <class Kind, std::size_t size>
std::optional<Kind> Find(const Word<Kind> (&words)[size], std::string_view word) {
  for (const Word<Kind>& known : words) {
    if (known.word == word) return known.kind;
  }
  return {};
}

}  // namespace

std::optional<BeginResult::Kind> BeginKindOf(std::string_view word) {
  return Find(kBeginWords, word);
}

std::optional<TransitionResult::Kind> TransitionKindOf(std::string_view word) {
  return Find(kTransitionWords, word);
}

std::optional<LookUpReservation::Kind> LookUpKindOf(std::string_view word) {
  return Find(kLookUpWords, word);
}

}  // namespace idem::store

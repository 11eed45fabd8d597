#include "proxy/store/remote/step_words.h"

#include <doctest/doctest.h>

namespace idem::store {

TEST_CASE("each kind of outcome has one word, and other words have none") {
  using Begin = ports::BeginResult::Kind;
  using Transition = ports::TransitionResult::Kind;
  using LookUp = ports::LookUpReservation::Kind;
  CHECK(BeginKindOf("claimed") == Begin::kClaimed);
  CHECK(BeginKindOf("held") == Begin::kHeld);
  CHECK(BeginKindOf("limited") == Begin::kLimited);
  CHECK(BeginKindOf("withdrawn") == Begin::kWithdrawn);
  CHECK(TransitionKindOf("done") == Transition::kDone);
  CHECK(TransitionKindOf("rewritten") == Transition::kRewritten);
  CHECK(TransitionKindOf("held") == Transition::kHeld);
  CHECK(TransitionKindOf("gone") == Transition::kGone);
  CHECK(LookUpKindOf("granted") == LookUp::kGranted);
  CHECK(LookUpKindOf("taken") == LookUp::kTaken);
  CHECK(LookUpKindOf("changed") == LookUp::kChanged);
  for (const char* other : {"", "Held", "held ", "hel", "failed"}) {
    CAPTURE(other);
    CHECK_FALSE(BeginKindOf(other));
    CHECK_FALSE(TransitionKindOf(other));
    CHECK_FALSE(LookUpKindOf(other));
  }
}

}  // namespace idem::store

// What a fuzzer of this folder is made of: TARGET_target.cc defines the two functions below, and
// driver.cc does the rest. An oracle that does not hold, a sanitizer's report and a violated
// INVARIANT end the program; libFuzzer keeps the input.
#pragma once

#include <string>
#include <string_view>

#include "tests/fuzz/dice.h"

namespace idem::fuzz {

/// Reads one input and asks the oracles about it. True: the input was accepted, which more than one
/// in twenty has to be, or the fuzzer looks at nothing but refusals.
bool Try(std::string_view input);

/// A new input that is accepted more often than not: what mutations start from, beside the corpus.
std::string Make(Dice& dice);

/// Says what does not hold, with two readings that differ, and ends the program.
[[noreturn]] void Accuse(const char* promise, std::string_view one, std::string_view other);

/// The oracle: `promise` is a sentence.
inline void Demand(bool holds, const char* promise, std::string_view one = {},
                   std::string_view other = {}) {
  if (!holds) Accuse(promise, one, other);
}
inline void DemandSame(std::string_view one, std::string_view other, const char* promise) {
  Demand(one == other, promise, one, other);
}

}  // namespace idem::fuzz

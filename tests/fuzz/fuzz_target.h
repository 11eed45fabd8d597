// The parts of a fuzzer of this folder: TARGET_target.cc defines the two functions below, and
// driver.cc does the rest. A failed oracle, a sanitizer's report and a violated INVARIANT end the
// program; libFuzzer keeps the input.
#pragma once

#include <string>
#include <string_view>

#include "tests/fuzz/dice.h"

namespace idem::fuzz {

/// Reads one input and checks the oracles. Returns true if the input was accepted. More than one in
/// twenty must be, or the fuzzer tests refusals only.
bool Try(std::string_view input);

/// Returns a new input that is accepted more often than not. Mutations start from it and from the
/// corpus.
std::string Make(Dice& dice);

/// Prints the broken promise with two readings that differ, and ends the program.
[[noreturn]] void Accuse(const char* promise, std::string_view one, std::string_view other);

/// Checks an oracle; `promise` is a sentence.
inline void Demand(bool holds, const char* promise, std::string_view one = {},
                   std::string_view other = {}) {
  if (!holds) Accuse(promise, one, other);
}
inline void DemandSame(std::string_view one, std::string_view other, const char* promise) {
  Demand(one == other, promise, one, other);
}

}  // namespace idem::fuzz

// Messages that are mostly good.
#pragma once

#include <string>

#include "tests/fuzz/dice.h"

namespace idem::fuzz {

/// Returns one or more requests, one after another.
[[nodiscard]] std::string MakeRequests(Dice& dice);
/// Returns one final response, sometimes with interim ones before it.
[[nodiscard]] std::string MakeResponse(Dice& dice);

}  // namespace idem::fuzz

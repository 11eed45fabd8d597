// Messages that are mostly good.
#pragma once

#include <string>

#include "tests/fuzz/dice.h"

namespace idem::fuzz {

/// One request or a few, one after another.
[[nodiscard]] std::string MakeRequests(Dice& dice);
/// One final response, with interim ones before it now and then.
[[nodiscard]] std::string MakeResponse(Dice& dice);

}  // namespace idem::fuzz

// The refusal of a server that may lose what it confirmed (`store.require_durable`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace idem::store {

/// Returns kRefused with all `risks` behind `where`, or null if there are no risks or durability is
/// not required.
[[nodiscard]] std::optional<Error> DurabilityRefusal(const std::string& where,
                                                     const std::vector<std::string>& risks,
                                                     bool require_durable);

}  // namespace idem::store

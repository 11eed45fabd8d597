// ${NAME} and ${NAME:-default} in scalars.
#pragma once

#include "proxy/config/config.h"
#include "proxy/config/node.h"

namespace idem::config {

/// Puts the environment's values into every scalar below `root`; keys stay as they are. An unset
/// ${NAME} is a mistake. ${NAME:-default} is the default where NAME is unset or empty, as in a
/// shell; the default ends at the first `}`. What a value from the environment says is taken as it
/// is: it is not searched for further ${...}, and it is no YAML.
void ApplyEnvironment(Node& root, const Environment& environment, Mistakes& mistakes);

}  // namespace idem::config

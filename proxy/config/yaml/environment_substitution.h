// ${NAME} and ${NAME:-default} in scalars.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "proxy/config/yaml/config_error.h"
#include "proxy/config/yaml/yaml_node.h"

namespace idem::config {

/// The value of an environment variable; nullopt where it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
/// That of this process.
[[nodiscard]] Environment ProcessEnvironment();

/// Puts the environment's values into every scalar below `root`; keys stay as they are. An unset
/// ${NAME} is a mistake. ${NAME:-default} is the default where NAME is unset or empty, as in a
/// shell; the default ends at the first `}`. What a value from the environment says is taken as it
/// is: it is not searched for further ${...}, and it is no YAML.
void ApplyEnvironment(Node& root, const Environment& environment, ConfigErrors& mistakes);

}  // namespace idem::config

// ${NAME} and ${NAME:-default} in scalars.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "proxy/config/yaml/config_error.h"
#include "proxy/config/yaml/yaml_node.h"

namespace idem::config {

/// Returns the value of an environment variable, or nullopt if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
/// Returns the environment of this process.
[[nodiscard]] Environment ProcessEnvironment();

/// Replaces the variables in every scalar below `root`; keys stay unchanged. An unset ${NAME} is an
/// error. ${NAME:-default} is the default if NAME is unset or empty, as in a shell; the default
/// ends at the first `}`. A value from the environment is neither searched for ${...} nor read as
/// YAML.
void ApplyEnvironment(Node& root, const Environment& environment, ConfigErrors& mistakes);

}  // namespace idem::config

// Features that have a name in the configuration but that this version does not implement.
#pragma once

#include "proxy/config/yaml/yaml_node.h"

namespace idem::config {

/// Reports an error for each use of such a feature, in `defaults` too. The section readers know its
/// keys nevertheless, so that they check everything else in the file.
void RefuseUnavailable(const Node& root, ConfigErrors& mistakes);

}  // namespace idem::config

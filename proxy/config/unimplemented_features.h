// What has its name in the configuration already, and this version does not do yet.
#pragma once

#include "proxy/config/yaml/yaml_node.h"

namespace idem::config {

/// Each use of such a thing is a mistake. The readers know its keys all the same, so that what is
/// written is checked today. A feature that lands deletes its line of the table.
void RefuseUnavailable(const Node& root, ConfigErrors& mistakes);

}  // namespace idem::config

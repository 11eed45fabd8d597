// The limit of open files and sockets of this process.
#pragma once

#include "proxy/config/config.h"

namespace idem::app {

/// Raises the limit to the sum of `limits.connections`, the connections to backends and the store's
/// files. Logs a warning if the system allows less. Many systems start a process with a limit of
/// 1,024, and then a thousand idle clients would keep the store from opening its files.
void RaiseDescriptorLimit(const config::Config& config);

}  // namespace idem::app

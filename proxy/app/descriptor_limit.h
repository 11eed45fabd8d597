// How many files and sockets this process may open.
#pragma once

#include "proxy/config/config.h"

namespace idem::app {

/// Raises the process's limit to what `limits.connections`, the backends' connections and the store
/// may take together, as far as the system allows; what is lacking then is a warning in the log.
/// Many systems start a process with room for 1,024: without this a thousand idle clients would
/// keep the store from opening its files.
void RaiseDescriptorLimit(const config::Config& config);

}  // namespace idem::app

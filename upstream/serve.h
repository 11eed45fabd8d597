// The order service as a process: its loop, its listener, its database, its signals.
#pragma once

#include "upstream/options.h"

namespace idem::upstream {

/// Serves until SIGTERM or SIGINT, then finishes running requests. A second signal stops at once.
/// Returns the exit code of the process: 1, with a line on standard error, if it cannot listen.
[[nodiscard]] int Serve(const Options& options);

}  // namespace idem::upstream

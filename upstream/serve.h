// The order service as a process: its loop, its listener, its database, its signals.
#pragma once

#include "upstream/options.h"

namespace idem::upstream {

/// Serves until SIGTERM or SIGINT, then finishes what runs; a second signal leaves at once. Returns
/// the process's exit code: 1 if it cannot listen (said on standard error in one line).
[[nodiscard]] int Serve(const Options& options);

}  // namespace idem::upstream

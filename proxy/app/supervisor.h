// The command `run`: reads the configuration, builds every worker and serves until a signal.
#pragma once

#include <string>

#include "proxy/base/exit_code.h"

namespace idem::app {

/// kExitOk after an orderly drain. Errors of the configuration, and what the world refused, are
/// told on standard error. `accept_new_scope`: go on where the store holds records under another
/// scope.
ExitCode Run(const std::string& config_path, bool accept_new_scope);

}  // namespace idem::app

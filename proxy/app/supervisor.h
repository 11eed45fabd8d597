// The command `run`: reads the configuration, builds every worker and serves until a signal.
#pragma once

#include <string>

#include "proxy/base/exit_code.h"

namespace idem::app {

/// Returns kExitOk after an orderly drain. Errors are printed to standard error. With
/// `accept_new_scope` the start continues although the store holds records under another scope.
ExitCode Run(const std::string& config_path, bool accept_new_scope);

}  // namespace idem::app

// The command `run`: reads the configuration, builds every worker and serves until a signal.
#pragma once

#include <string>

namespace idem::app {

/// The program's exit code: 0 after an orderly drain, 2 for a configuration with mistakes (printed
/// on standard error), 1 for what the world refused (a busy port, a store that cannot be opened).
/// `accept_new_scope`: go on where the store holds records under another scope.
int Run(const std::string& config_path, bool accept_new_scope);

}  // namespace idem::app

// What the shell is told of a command.
#pragma once

namespace idem {

enum ExitCode : int {
  kExitOk = 0,
  kExitRefused = 1,  // by the world: a busy port, a store that cannot be opened
  kExitMistake = 2,  // in the configuration or on the command line
};

}  // namespace idem

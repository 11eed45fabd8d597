// Exit codes of the program's commands.
#pragma once

namespace idem {

enum ExitCode : int {
  kExitOk = 0,
  kExitRefused = 1,  // the environment refused it: a busy port, a store that cannot be opened
  kExitMistake = 2,  // an error in the configuration or on the command line
};

}  // namespace idem

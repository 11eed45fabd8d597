// Runs a program under strace: records its system calls in order, and can signal it at a chosen
// call.
#pragma once

#include <string>
#include <vector>

#include "tests/support/process.h"

namespace idem::support {

/// Returns the command with strace watching it and all its threads. The program stays the test's
/// own child, so Process signals it and returns its exit code. The trace is complete when
/// WaitForExit has returned.
[[nodiscard]] Process::Command UnderStrace(const Process::Command& command,
                                           std::vector<std::string> options);

/// Returns the lines of a trace that `-o FILE` wrote. Each begins with the thread's id.
[[nodiscard]] std::vector<std::string> ReadTrace(const std::string& file);

}  // namespace idem::support

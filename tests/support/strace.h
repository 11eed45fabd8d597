// strace around a program of the test's: what it asked of the kernel, in which order, and a signal
// at the call of the test's choice.
#pragma once

#include <string>
#include <vector>

#include "tests/support/process.h"

namespace idem::support {

/// The same command with strace watching it and all its threads. The program stays the test's own
/// child: it is what Process signals and what its exit code tells about. Returned from WaitForExit,
/// the trace is complete.
[[nodiscard]] Process::Command UnderStrace(const Process::Command& command,
                                           std::vector<std::string> options);

/// The lines of a trace that `-o FILE` wrote. Each begins with the thread's id.
[[nodiscard]] std::vector<std::string> ReadTrace(const std::string& file);

}  // namespace idem::support

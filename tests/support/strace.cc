#include "tests/support/strace.h"

#include <cstdlib>
#include <fstream>
#include <utility>

namespace idem::support {

Process::Command UnderStrace(const Process::Command& command, std::vector<std::string> options) {
  Process::Command traced{"strace", {"-D", "-f"}, command.environment};
  auto& arguments = traced.arguments;
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(command.program);
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  const char* asan_options = std::getenv("ASAN_OPTIONS");
  traced.environment["ASAN_OPTIONS"] = std::string(asan_options == nullptr ? "" : asan_options) +
                                       ":detect_leaks=0";  // LeakSanitizer cannot be traced
  return traced;
}

std::vector<std::string> ReadTrace(const std::string& file) {
  std::vector<std::string> lines;
  std::ifstream trace(file);
  for (std::string line; std::getline(trace, line);) lines.push_back(std::move(line));
  return lines;
}

}  // namespace idem::support

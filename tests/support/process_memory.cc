#include "tests/support/process_memory.h"

#include <fstream>
#include <stdexcept>
#include <string>

namespace idem::support {

namespace {

std::string FileOf(pid_t program, const char* name) {
  return "/proc/" + std::to_string(program) + "/" + name;
}

/// Returns the value of "NAME:   123 kB" in bytes.
std::size_t StatusBytes(pid_t program, const std::string& name) {
  std::ifstream status(FileOf(program, "status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1)) * 1024;
  }
  throw std::runtime_error("no " + name + " of process " + std::to_string(program));
}

}  // namespace

MemoryWatch::MemoryWatch(pid_t program) : program_(program), resident_(ResidentBytes(program)) {
  std::ofstream peak(FileOf(program, "clear_refs"));
  peak << "5" << std::flush;  // resets VmHWM (proc(5))
  if (!peak) throw std::runtime_error("cannot reset the peak of " + std::to_string(program));
}

std::size_t MemoryWatch::growth_bytes() const {
  const std::size_t peak = StatusBytes(program_, "VmHWM");
  return peak > resident_ ? peak - resident_ : 0;
}

std::size_t ResidentBytes(pid_t program) { return StatusBytes(program, "VmRSS"); }

}  // namespace idem::support

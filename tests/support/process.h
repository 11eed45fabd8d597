// Programs that a test starts: the built ones, and private servers. A program never outlives its
// Process: the destructor kills it, and the kernel kills it if the test itself dies. If a sanitizer
// finds a fault in the program, the test fails, even if it did not check or had killed the program.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace idem::support {

/// The longest wait for something that should come at once, on a loaded machine and under a
/// sanitizer. Only a failing test reaches it.
inline constexpr std::chrono::seconds kPatience{60};

/// One running program and its output. Start it from the test's main thread, because the kernel
/// ties the child's life to the thread that made it. Every failure is a std::runtime_error that
/// holds the output.
class Process {
 public:
  struct Command {
    std::string program;  // a path, or a name looked up in PATH
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;  // added to the test's own
  };
  /// Returns when the program runs. Fails if it cannot be executed.
  static Process Start(const Command& command);

  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();  // sends SIGKILL if it still runs

  [[nodiscard]] pid_t pid() const;

  /// Returns the first line of either output that holds `text` and came after the line that the
  /// last call returned. Each output has its own position. Fails when the program ends or patience
  /// does.
  std::string WaitForLine(std::string_view text, std::chrono::milliseconds patience = kPatience);

  /// Waits until 127.0.0.1:`port` accepts connections. Fails when the program ends.
  void WaitForPort(std::uint16_t port, std::chrono::milliseconds patience = kPatience);

  void Signal(int signal_number) const;

  /// Returns its exit code, or 128 plus the signal that ended it. All its output has been read
  /// then.
  int WaitForExit(std::chrono::milliseconds patience = kPatience);
  [[nodiscard]] bool running();

  /// Returns all output so far.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string error_output() const;

 private:
  struct State;
  explicit Process(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Returns the first line of a sanitizer's report in a program's output.
[[nodiscard]] std::optional<std::string> SanitizerReportIn(std::string_view output);

/// True if this build runs under a sanitizer. Its programs are slow, and their memory use is not
/// the product's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// Returns the path of a program of this build: `name` in the folder $IDEM_BIN.
[[nodiscard]] std::string BuiltProgram(std::string_view name);

/// Returns an environment variable that scripts/with_servers sets. If it is unset, fails with
/// advice.
[[nodiscard]] std::string ServerVariable(const char* name);

/// Returns a port of 127.0.0.1 that is free now. Another program may take it first, so prefer
/// programs that listen on port 0 and report their port.
[[nodiscard]] std::uint16_t FreePort();

}  // namespace idem::support

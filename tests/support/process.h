// Programs that a test starts: the built ones, and servers of the test's own. Whatever happens to
// the test, what it started is gone when its Process is: the destructor kills it, and the kernel
// does if the test itself dies. A program in which a sanitizer found a fault fails its test, also
// when the test had no eye on it or killed it.
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

/// How long a test waits for what should come at once, on a loaded machine and under a sanitizer.
/// It is only reached by a test that fails.
inline constexpr std::chrono::seconds kPatience{60};

/// One running program and what it wrote. Started from the test's main thread (the kernel ties the
/// child's life to the thread that made it). Every failure is a std::runtime_error that holds what
/// the program wrote.
class Process {
 public:
  struct Command {
    std::string program;  // a path, or a name looked up in PATH
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;  // added to the test's own
  };
  /// Returns when the program runs; fails if it cannot be executed.
  static Process Start(const Command& command);

  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();  // SIGKILL, if it still runs

  [[nodiscard]] pid_t pid() const;

  /// The first line of either output that holds `text` and came after the line that the last call
  /// returned (each output has a place of its own). Fails when the program ends or patience does.
  std::string WaitForLine(std::string_view text, std::chrono::milliseconds patience = kPatience);

  /// Until something accepts connections on 127.0.0.1:`port`. Fails when the program ends.
  void WaitForPort(std::uint16_t port, std::chrono::milliseconds patience = kPatience);

  void Signal(int signal_number) const;

  /// Its exit code, or 128 and the number of the signal that ended it. All it wrote has been read
  /// then.
  int WaitForExit(std::chrono::milliseconds patience = kPatience);
  [[nodiscard]] bool running();

  /// All it wrote so far.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string error_output() const;

 private:
  struct State;
  explicit Process(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The first line of a sanitizer's report in what a program wrote.
[[nodiscard]] std::optional<std::string> SanitizerReportIn(std::string_view output);

/// Whether this build runs under a sanitizer: its programs are slow then, and what they take of
/// memory says nothing about the product.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// The path of a program of this build: `name` in the folder $IDEM_BIN.
[[nodiscard]] std::string BuiltProgram(std::string_view name);

/// The value of an environment variable that scripts/with_servers sets; fails if it is unset, and
/// says what to do.
[[nodiscard]] std::string ServerVariable(const char* name);

/// A port of 127.0.0.1 that is free now. Somebody else may take it before its user does: prefer
/// programs that listen on port 0 and say which one they got.
[[nodiscard]] std::uint16_t FreePort();

}  // namespace idem::support

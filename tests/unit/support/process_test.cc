#include "tests/support/process.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace idem::support {

TEST_CASE("a program's lines of both outputs are found in their order") {
  Process shell = Process::Start(
      {"sh", {"-c", "echo \"one $WORD\"; echo bad >&2; echo two; exit 3"}, {{"WORD", "more"}}});
  CHECK(shell.WaitForLine("one") == "one more");
  CHECK(shell.WaitForLine("bad") == "bad");
  CHECK(shell.WaitForLine("two") == "two");
  CHECK_THROWS_AS(shell.WaitForLine("one"), std::runtime_error);
  CHECK(shell.WaitForExit() == 3);
  CHECK(shell.output() == "one more\ntwo\n");
  CHECK(shell.error_output() == "bad\n");
}

TEST_CASE("a death by a signal has the shell's exit code") {
  Process sleeper = Process::Start({"sleep", {"1000"}, {}});
  CHECK(sleeper.running());
  sleeper.Signal(SIGTERM);
  CHECK(sleeper.WaitForExit() == 128 + SIGTERM);
}

TEST_CASE("what a test started is gone with its object") {
  pid_t pid = 0;
  {
    const Process sleeper = Process::Start({"sleep", {"1000"}, {}});
    pid = sleeper.pid();
  }
  CHECK(kill(pid, 0) != 0);
}

TEST_CASE("a program that cannot be executed is a failure") {
  CHECK_THROWS_WITH(static_cast<void>(Process::Start({"/no/such/program", {}, {}})),
                    "/no/such/program: No such file or directory");
}

TEST_CASE("a sanitizer's report is found in what a program wrote") {
  const struct {
    std::string output;
    std::optional<std::string> found;
  } cases[] = {
      {"", {}},
      {"{\"event\":\"stopped\"}\n", {}},
      {"==7==ERROR: AddressSanitizer: heap-use-after-free on address\n#0 main\n",
       "==7==ERROR: AddressSanitizer: heap-use-after-free on address"},
      {"up\nWARNING: ThreadSanitizer: data race (pid=7)\n",
       "WARNING: ThreadSanitizer: data race (pid=7)"},
      {"a.cc:1:2: runtime error: signed integer overflow",
       "a.cc:1:2: runtime error: signed integer overflow"},
      {"==7==ERROR: LeakSanitizer: detected memory leaks\n",
       "==7==ERROR: LeakSanitizer: detected memory leaks"},
  };
  for (const auto& [output, found] : cases) {
    CAPTURE(output);
    CHECK(SanitizerReportIn(output) == found);
  }
}

}  // namespace idem::support

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

TEST_CASE("a signal's death is told as the shell tells it") {
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

}  // namespace idem::support

#include "tests/support/process.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace idem::support {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error(what); }
[[noreturn]] void FailSystem(const std::string& call) {
  Fail(call + ": " + std::generic_category().message(errno));
}

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) FailSystem("pipe2");
  return {ends[0], ends[1]};
}

/// Returns null-terminated pointers into `strings`, as exec needs them.
std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

/// Runs in the child between fork and exec, where only async-signal-safe calls are allowed.
[[noreturn]] void BecomeProgram(char* const* arguments, char* const* environment, int out, int err,
                                int failure, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the test died before the line above
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD}) {
    signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  execvpe(arguments[0], arguments, environment);
  const int error = errno;
  static_cast<void>(!write(failure, &error, sizeof error));
  _exit(127);
}

/// Blocks signals, so that no handler of the test runs in a child before exec.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

bool Accepts(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) FailSystem("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool accepted =
      connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(socket);
  return accepted;
}

}  // namespace

// A thread collects both outputs, so that the program never waits for the test to read.
struct Process::State {
  explicit State(std::string command_name) : name(std::move(command_name)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (pid > 0 && !exit_code) {
      kill(pid, SIGKILL);
      Reap(0);
    }
    const char stop = 0;
    static_cast<void>(!write(stopper.write_end, &stop, 1));  // a grandchild may hold the outputs
    if (reader.joinable()) reader.join();
    FailTestOfSanitizer();
    for (const int end : {out.read_end, err.read_end, stopper.read_end, stopper.write_end}) {
      close(end);
    }
  }

  void Gather();
  bool GatherFrom(int pipe, std::string& text);
  bool Reap(int options);
  std::optional<std::string> NextLine(const std::string& text, std::size_t& from,
                                      std::string_view part) const;
  [[noreturn]] void FailWithOutput(const std::string& what);
  void FailTestOfSanitizer() const;

  std::string name;
  pid_t pid = -1;
  std::optional<int> exit_code;
  Pipe out, err, stopper;
  std::thread reader;

  std::mutex mutex;
  std::condition_variable changed;
  std::string output, error_output;             // guarded by mutex, as is the next
  bool ended = false;                           // true when both outputs have ended
  std::size_t output_from = 0, error_from = 0;  // position at which WaitForLine continues
};

void Process::State::Gather() {
  std::array<pollfd, 3> polled{
      {{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}, {stopper.read_end, POLLIN, 0}}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0 && !GatherFrom(out.read_end, output)) polled[0].fd = -1;
    if (polled[1].revents != 0 && !GatherFrom(err.read_end, error_output)) polled[1].fd = -1;
    if (polled[2].revents != 0) break;
  }
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

bool Process::State::GatherFrom(int pipe, std::string& text) {
  std::array<char, 16384> buffer{};
  const ssize_t count = read(pipe, buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR;
  const std::lock_guard lock(mutex);
  text.append(buffer.data(), static_cast<std::size_t>(count));
  changed.notify_all();
  return count > 0;
}

bool Process::State::Reap(int options) {
  int status = 0;
  if (exit_code || waitpid(pid, &status, options) != pid) return exit_code.has_value();
  exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

std::optional<std::string> Process::State::NextLine(const std::string& text, std::size_t& from,
                                                    std::string_view part) const {
  for (std::size_t begin = from;;) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return std::nullopt;
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (line.find(part) == std::string_view::npos) continue;
    from = begin;
    return std::string(line);
  }
}

void Process::State::FailWithOutput(const std::string& what) {
  const std::lock_guard lock(mutex);
  Fail(name + ": " + what + "\n--- standard output\n" + output + "--- standard error\n" +
       error_output + "---");
}

/// Throws no exception, because this runs in a destructor, possibly during another exception.
void Process::State::FailTestOfSanitizer() const {
  const bool is_found = SanitizerReportIn(output) || SanitizerReportIn(error_output);
  if (is_found && doctest::is_running_in_test) {
    FAIL_CHECK(name << ": a sanitizer has found something:\n" << output << error_output);
  }
}

Process Process::Start(const Command& command) {
  auto state = std::make_unique<State>(command.program);
  std::vector<std::string> arguments{command.program};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment = EnvironmentWith(command.environment);
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  state->out = MakePipe();
  state->err = MakePipe();
  state->stopper = MakePipe();
  const Pipe failure = MakePipe();  // a successful exec closes it
  const pid_t parent = getpid();
  {
    const SignalsHeld held;
    state->pid = fork();
    if (state->pid == 0) {
      BecomeProgram(argument_pointers.data(), environment_pointers.data(), state->out.write_end,
                    state->err.write_end, failure.write_end, parent);
    }
  }
  if (state->pid < 0) FailSystem("fork");
  for (const int end : {state->out.write_end, state->err.write_end, failure.write_end}) close(end);
  int error = 0;
  const bool failed = read(failure.read_end, &error, sizeof error) > 0;
  close(failure.read_end);
  if (failed) Fail(command.program + ": " + std::generic_category().message(error));
  state->reader = std::thread([gathered = state.get()] { gathered->Gather(); });
  return Process(std::move(state));
}

Process::Process(std::unique_ptr<State> state) : state_(std::move(state)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

pid_t Process::pid() const { return state_->pid; }

std::string Process::WaitForLine(std::string_view text, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  {
    std::unique_lock lock(state_->mutex);
    for (bool in_time = true;;) {
      if (auto line = state_->NextLine(state_->output, state_->output_from, text)) return *line;
      if (auto line = state_->NextLine(state_->error_output, state_->error_from, text)) {
        return *line;
      }
      if (state_->ended || !in_time) break;
      in_time = state_->changed.wait_until(lock, deadline) == std::cv_status::no_timeout;
    }
  }
  state_->FailWithOutput("wrote no line with '" + std::string(text) + "'");
}

void Process::WaitForPort(std::uint16_t port, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (!Accepts(port)) {
    if (!running()) state_->FailWithOutput("ended before it listened");
    if (Clock::now() > deadline) state_->FailWithOutput("does not listen");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void Process::Signal(int signal_number) const {
  if (!state_->exit_code) kill(state_->pid, signal_number);
}

int Process::WaitForExit(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (!state_->Reap(WNOHANG)) {
    if (Clock::now() > deadline) state_->FailWithOutput("does not end");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::unique_lock lock(state_->mutex);
  state_->changed.wait_until(lock, deadline, [this] { return state_->ended; });
  return *state_->exit_code;
}

bool Process::running() { return !state_->Reap(WNOHANG); }

std::string Process::output() const {
  const std::lock_guard lock(state_->mutex);
  return state_->output;
}

std::string Process::error_output() const {
  const std::lock_guard lock(state_->mutex);
  return state_->error_output;
}

std::optional<std::string> SanitizerReportIn(std::string_view output) {
  constexpr std::string_view kMarks[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
                                         "WARNING: ThreadSanitizer", "FATAL: ThreadSanitizer",
                                         ": runtime error: "};
  std::size_t first = output.npos;
  for (const std::string_view mark : kMarks) first = std::min(first, output.find(mark));
  if (first == output.npos) return std::nullopt;
  const std::size_t before = output.rfind('\n', first);
  const std::size_t begin = before == output.npos ? 0 : before + 1;
  return std::string(output.substr(begin, output.find('\n', first) - begin));
}

std::string ServerVariable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') {
    Fail(std::string(name) + " is not set: run this test program through scripts/with_servers");
  }
  return value;
}

std::string BuiltProgram(std::string_view name) {
  return ServerVariable("IDEM_BIN") + "/" + std::string(name);
}

std::uint16_t FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) FailSystem("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(socket, generic, size) == 0 && getsockname(socket, generic, &size) == 0;
  close(socket);
  if (!bound) FailSystem("bind");
  return ntohs(address.sin_port);
}

}  // namespace idem::support

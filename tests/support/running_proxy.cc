#include "tests/support/running_proxy.h"

#include <csignal>
#include <stdexcept>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/hex.h"
#include "tests/support/strace.h"

namespace idem::support {

namespace {

// Returns the port of `"address":"127.0.0.1:PORT"` in a log line.
std::uint16_t PortIn(const std::string& line) {
  const std::string_view before = "\"address\":\"";
  const auto address = line.find(before);
  const auto colon = line.rfind(':', line.find('"', address + before.size()));
  if (address == std::string::npos || colon < address + before.size()) {
    throw std::runtime_error("no port in: " + line);
  }
  return static_cast<std::uint16_t>(std::stoi(line.substr(colon + 1)));
}

}  // namespace

std::string RunningProxy::WithListeners(std::string_view yaml) {
  const bool has_own = yaml.starts_with("listen:");
  return std::string(has_own ? "" : "listen: 127.0.0.1:0\n") +
         "admin: { listen: \"127.0.0.1:0\" }\n" + std::string(yaml);
}

RunningProxy::RunningProxy(std::string_view yaml, std::vector<std::string> strace_options)
    : file_(folder_.Write("idemproxy.yaml", WithListeners(yaml))),
      strace_options_(std::move(strace_options)),
      process_(Run()) {
  Start();
}

Process RunningProxy::Run() const {
  // Tests share a Redis, each with its own prefix, so the store sees one deployment.
  const Process::Command command{
      BuiltProgram("idemproxy"), {"run", "-c", file_, "--accept-new-scope"}, {}};
  return Process::Start(strace_options_.empty() ? command : UnderStrace(command, strace_options_));
}

void RunningProxy::Start() {
  admin_port_ = PortIn(process_.WaitForLine("\"event\":\"admin_listening\""));
  port_ = PortIn(process_.WaitForLine("\"event\":\"listening\""));
}

std::uint16_t RunningProxy::NextPort() {
  return PortIn(process_.WaitForLine("\"event\":\"listening\""));
}

void RunningProxy::Reload(std::string_view yaml, std::string_view expected) {
  folder_.Write("idemproxy.yaml", WithListeners(yaml));
  process_.Signal(SIGHUP);
  process_.WaitForLine(expected);
}

void RunningProxy::KillAndStartAgain() {
  process_.Signal(SIGKILL);
  process_.WaitForExit();
  process_ = Run();
  Start();
}

int RunningProxy::Stop() {
  process_.Signal(SIGTERM);
  return process_.WaitForExit();
}

std::string SignBody(std::string_view secret, std::string_view body) {
  return ToHex(HmacSha256(secret, body));
}

}  // namespace idem::support

#include "tests/support/running_proxy.h"

#include <csignal>
#include <stdexcept>

#include "proxy/base/digest.h"
#include "proxy/base/hex.h"

namespace idem::support {

namespace {

// The port of `"address":"127.0.0.1:PORT"` in a line of the log.
std::uint16_t PortIn(const std::string& line) {
  const std::string_view before = "127.0.0.1:";
  const auto at = line.find(before);
  if (at == std::string::npos) throw std::runtime_error("no port in: " + line);
  return static_cast<std::uint16_t>(std::stoi(line.substr(at + before.size())));
}

Process Run(const std::string& file) {
  return Process::Start({BuiltProgram("idemproxy"), {"run", "-c", file}, {}});
}

}  // namespace

std::string RunningProxy::WithListeners(std::string_view yaml) {
  return "listen: 127.0.0.1:0\nadmin: { listen: \"127.0.0.1:0\" }\n" + std::string(yaml);
}

RunningProxy::RunningProxy(std::string_view yaml)
    : file_(folder_.Write("idemproxy.yaml", WithListeners(yaml))), process_(Run(file_)) {
  Start();
}

void RunningProxy::Start() {
  admin_port_ = PortIn(process_.WaitForLine("\"event\":\"admin_listening\""));
  port_ = PortIn(process_.WaitForLine("\"event\":\"listening\""));
}

void RunningProxy::Reload(std::string_view yaml, std::string_view expected) {
  folder_.Write("idemproxy.yaml", WithListeners(yaml));
  process_.Signal(SIGHUP);
  process_.WaitForLine(expected);
}

void RunningProxy::KillAndStartAgain() {
  process_.Signal(SIGKILL);
  process_.WaitForExit();
  process_ = Run(file_);
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

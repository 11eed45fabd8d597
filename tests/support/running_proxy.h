// The built proxy, run as a user runs it: with a file, a port and a log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/http_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace idem::support {

/// `idemproxy run` with a test's configuration. It listens on ports of the system's choice.
class RunningProxy {
 public:
  /// `yaml` must not hold `admin`, which is added; `listen` is added unless `yaml` begins with it.
  /// Returns when the proxy listens. With `strace_options` it runs under strace.
  explicit RunningProxy(std::string_view yaml, std::vector<std::string> strace_options = {});

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Returns the port of the next entry of `listen`, from the second on.
  [[nodiscard]] std::uint16_t NextPort();
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }
  [[nodiscard]] Process& process() { return process_; }

  /// Rewrites the file and sends SIGHUP. Returns when the log has a line with `expected`.
  void Reload(std::string_view yaml, std::string_view expected);
  /// Kills with SIGKILL, and starts again with the same file on new ports.
  void KillAndStartAgain();
  /// Sends SIGTERM and returns the exit code.
  int Stop();

 private:
  void Start();
  [[nodiscard]] static std::string WithListeners(std::string_view yaml);

  [[nodiscard]] Process Run() const;

  TempFolder folder_;
  std::string file_;
  std::vector<std::string> strace_options_;
  Process process_;
  std::uint16_t port_ = 0;
  std::uint16_t admin_port_ = 0;
};

/// Returns X-Signature of hmac-body: HMAC-SHA256 in hex.
[[nodiscard]] std::string SignBody(std::string_view secret, std::string_view body);

}  // namespace idem::support

// The built proxy as a user runs it: a file, a port, a log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/http_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace idem::support {

/// `idemproxy run` with a configuration of the test's. It listens on ports of the system's choice.
class RunningProxy {
 public:
  /// `yaml` without `admin`, which is added, and so is `listen` unless it begins with its own.
  /// Returns when it listens. With `strace_options` it runs under strace.
  explicit RunningProxy(std::string_view yaml, std::vector<std::string> strace_options = {});

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Where `listen` is a list: the port of its second entry, then of its third.
  [[nodiscard]] std::uint16_t NextPort();
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }
  [[nodiscard]] Process& process() { return process_; }

  /// Rewrites the file and sends SIGHUP; returns when the log has a line with `expected`.
  void Reload(std::string_view yaml, std::string_view expected);
  /// kill -9, and the same file again on new ports.
  void KillAndStartAgain();
  /// SIGTERM; its exit code.
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

/// "X-Signature" of hmac-body: hex HMAC-SHA256.
[[nodiscard]] std::string SignBody(std::string_view secret, std::string_view body);

}  // namespace idem::support

// The commands check, sign and version. The command run is in app/supervisor.h.
#pragma once

#include <iosfwd>
#include <string>

#include "proxy/base/exit_code.h"

namespace idem::cli {

/// Returns the first of config/idemproxy.yaml and /etc/idemproxy/idemproxy.yaml that exists, or "".
[[nodiscard]] std::string DefaultConfigPath();

/// Prints every warning and then `ok`, or every error. Each is one line.
ExitCode Check(const std::string& config_path, std::ostream& out);

struct SignArguments {
  std::string config_path;
  std::string client;
  std::string scheme;  // empty: the scheme of the route
  std::string method = "POST";
  std::string key;   // empty: no key is sent
  std::string data;  // the body, or @FILE
  std::string url;   // or only its path
};
/// Prints the field lines that a caller must send, one `Name: value` per line, as curl's -H @FILE
/// reads them. Prints an error to `errors` in one line.
ExitCode Sign(const SignArguments& question, std::ostream& out, std::ostream& errors);

/// Prints the versions of the program, its compiler and its libraries.
ExitCode PrintVersion(std::ostream& out);

}  // namespace idem::cli

// The commands that ask and answer without serving: check, sign, version. `run` is run.h.
#pragma once

#include <iosfwd>
#include <string>

#include "proxy/base/exit_code.h"

namespace idem::cli {

/// The first of config/idemproxy.yaml and /etc/idemproxy/idemproxy.yaml that is there; "": neither.
[[nodiscard]] std::string DefaultConfigPath();

/// Prints every warning, then `ok` or every mistake, one a line.
ExitCode Check(const std::string& config_path, std::ostream& out);

struct SignArguments {
  std::string config_path;
  std::string client;
  std::string scheme;  // "": the route's
  std::string method = "POST";
  std::string key;   // "": none is sent
  std::string data;  // the body, or @FILE for one that is read as it is
  std::string url;   // or its path alone
};
/// Prints the field lines that a caller must send, `Name: value` one a line, as curl's -H @FILE
/// takes them. What is wrong goes to `errors` in one line.
ExitCode Sign(const SignArguments& question, std::ostream& out, std::ostream& errors);

/// This program, its compiler, and the libraries it was built with.
ExitCode PrintVersion(std::ostream& out);

}  // namespace idem::cli

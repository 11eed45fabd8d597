#include "proxy/cli/commands.h"

#include <filesystem>
#include <ostream>

#include "proxy/config/config.h"

namespace idem::cli {

std::string DefaultConfigPath() {
  std::error_code ignored;
  for (const char* path : {"config/idemproxy.yaml", "/etc/idemproxy/idemproxy.yaml"}) {
    if (std::filesystem::exists(path, ignored)) return path;
  }
  return "";
}

ExitCode Check(const std::string& config_path, std::ostream& out) {
  const auto loaded = config::LoadFile(config_path, config::ProcessEnvironment());
  if (const auto* mistakes = std::get_if<std::vector<config::ConfigError>>(&loaded)) {
    for (const config::ConfigError& mistake : *mistakes) out << mistake.ToText() << '\n';
    return kExitMistake;
  }
  for (const config::ConfigError& warning : std::get<config::Config>(loaded).warnings) {
    out << "warning: " << warning.ToText() << '\n';
  }
  out << "ok\n";
  return kExitOk;
}

ExitCode PrintVersion(std::ostream& out) {
  out << "idemproxy " IDEM_VERSION "\n"
      << "compiler " IDEM_COMPILER "\n"
      << "libraries " IDEM_LIBRARIES "\n";
  return kExitOk;
}

}  // namespace idem::cli

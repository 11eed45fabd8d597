#include "proxy/app/run.h"

#include <cstdio>

#include "proxy/config/config.h"

namespace idem::app {

int Run(const std::string& config_path, bool /*accept_new_scope*/) {
  const auto loaded = config::LoadFile(config_path, config::ProcessEnvironment());
  if (const auto* mistakes = std::get_if<std::vector<config::Mistake>>(&loaded)) {
    for (const config::Mistake& mistake : *mistakes) {
      std::fprintf(stderr, "%s\n", mistake.ToText().c_str());
    }
    return 2;
  }
  std::fputs("idemproxy: this build cannot serve yet\n", stderr);
  return 1;
}

}  // namespace idem::app

#include "proxy/app/startup_warnings.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>

#include "proxy/base/log.h"

namespace idem::app {

void LogWarnings(const config::Config& config) {
  for (const config::ConfigError& warning : config.warnings) {
    log::Write(log::Level::kWarn, "config_warning", {{"reason", warning.ToText()}});
  }
}

void LogSignatureCoverage(const std::vector<exchange::Route>& routes) {
  for (const auth::Scheme scheme : auth::kSchemes) {
    const std::string_view notice = auth::TraitsOf(scheme).coverage_notice;
    const bool used = std::ranges::any_of(routes, [&](const exchange::Route& route) {
      return route.authenticate && route.authenticate->scheme == scheme;
    });
    if (used && !notice.empty()) {
      log::Write(log::Level::kInfo, "signature_scope", {{"reason", notice}});
    }
  }
}

void LogDurabilityRisks(const store::StoreOptions& options) {
  if (!store::TraitsOf(options.type).has_path) return;
  if (options.durability == store::Durability::kOs) {
    log::Write(log::Level::kWarn, "store_may_forget",
               {{"reason",
                 "store.durability is `os`: a power loss can lose claims, and a request whose "
                 "claim is lost can be executed twice"}});
  }
  struct statfs file_system {};
  if (statfs(options.path.c_str(), &file_system) == 0 &&
      file_system.f_type == OVERLAYFS_SUPER_MAGIC) {
    log::Write(log::Level::kWarn, "store_may_forget",
               {{"reason",
                 "store.path is in a container's own layer and is deleted with the container; put "
                 "it on a volume"},
                {"path", options.path}});
  }
}

}  // namespace idem::app

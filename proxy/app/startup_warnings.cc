#include "proxy/app/startup_warnings.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "proxy/base/log.h"

namespace idem::app {

void LogWarnings(const config::Config& config) {
  for (const config::ConfigError& warning : config.warnings) {
    log::Write(log::Level::kWarn, "config_warning", {{"reason", warning.ToText()}});
  }
}

void LogWhatSignaturesCover(const std::vector<exchange::Route>& routes) {
  for (const exchange::Route& route : routes) {
    if (!route.authenticate || route.authenticate->scheme != auth::Scheme::kHmacBody) continue;
    log::Write(
        log::Level::kInfo, "signature_scope",
        {{"reason",
          "hmac-body covers the body only: neither the key, the path nor the client's name"}});
    return;
  }
}

void LogWhatTheStoreSurvives(const store::StoreOptions& options) {
  if (options.type != store::StoreType::kEmbedded) return;
  if (options.durability == store::Durability::kOs) {
    log::Write(log::Level::kWarn, "store_may_forget",
               {{"reason",
                 "store.durability is `os`: a power loss forgets claims, and a forgotten one can "
                 "be executed twice"}});
  }
  struct statfs file_system {};
  if (statfs(options.path.c_str(), &file_system) == 0 &&
      file_system.f_type == OVERLAYFS_SUPER_MAGIC) {
    log::Write(log::Level::kWarn, "store_may_forget",
               {{"reason",
                 "store.path lies in a container's own layer and goes with the container; put it "
                 "on a volume"},
                {"path", options.path}});
  }
}

}  // namespace idem::app

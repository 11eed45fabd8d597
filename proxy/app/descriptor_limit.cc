#include "proxy/app/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

#include "proxy/base/log.h"

namespace idem::app {

namespace {

constexpr rlim_t kOwnFiles = 1024;  // the store uses a few hundred at most; the rest is margin

rlim_t MostEverOpen(const config::Config& config) {
  const rlim_t clients = config.server.connections_max;
  rlim_t most = clients + kOwnFiles;
  for (const forward::UpstreamOptions& upstream : config.upstreams) {
    most += std::min<rlim_t>(upstream.max_in_flight, clients) + upstream.keepalive * config.workers;
  }
  return most;
}

}  // namespace

void RaiseDescriptorLimit(const config::Config& config) {
  const rlim_t wanted = MostEverOpen(config);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= wanted) return;
  log::Write(
      log::Level::kWarn, "few_descriptors",
      {{"reason",
        "this process may not open as many files as its configured limits may need: raise the "
        "limit of the service (LimitNOFILE, ulimit -n), or lower limits.connections"},
       {"may_open", static_cast<std::int64_t>(limit.rlim_cur)},
       {"could_need", static_cast<std::int64_t>(wanted)}});
}

}  // namespace idem::app

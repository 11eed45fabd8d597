// The resources that the calls of one upstream share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/deadlines.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/resolver.h"
#include "proxy/forward/address_directory.h"
#include "proxy/forward/forward_options.h"
#include "proxy/forward/idle_connections.h"
#include "proxy/forward/in_flight_limit.h"
#include "proxy/forward/upstream_connection.h"
#include "proxy/telemetry/metrics.h"

namespace idem::forward {

/// Memory of calls that ended, for the next ones.
class SpareBuffers {
 public:
  /// Returns an empty string, with memory if there is a spare one.
  [[nodiscard]] std::string Take();
  void Give(std::string buffer);

 private:
  std::vector<std::string> buffers_;
};

/// Part of a PooledUpstream, which outlives its calls.
struct UpstreamResources {
  UpstreamResources(event::EventLoop& on_loop, event::Resolver& resolver, InFlightLimit& limit,
                    telemetry::Gauge open_connections, UpstreamOptions with_options);

  [[nodiscard]] std::unique_ptr<UpstreamConnection> Connect(const event::SocketAddress& to,
                                                            UpstreamConnectionEvents& user) const;

  event::EventLoop& loop;
  InFlightLimit& gate;
  const telemetry::Gauge connections;
  const UpstreamOptions options;
  AddressDirectory directory;
  IdleConnections idle;
  TimeoutList queue_timeouts;
  TimeoutList look_up_timeouts;
  TimeoutList response_timeouts;
  SpareBuffers buffers;
  std::size_t calls = 0;  // under way
};

}  // namespace idem::forward

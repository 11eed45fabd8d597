// One upstream of one worker. Implements ports::Upstream.
#pragma once

#include <memory>

#include "proxy/event/event_loop.h"
#include "proxy/event/resolver.h"
#include "proxy/forward/forward_options.h"
#include "proxy/forward/in_flight_limit.h"
#include "proxy/forward/upstream_resources.h"
#include "proxy/ports/upstream.h"
#include "proxy/telemetry/metrics.h"

namespace idem::forward {

/// A call enters the in-flight limit, takes an idle connection or makes one (at most three attempts,
/// each at another address if there is one), sends, and passes the response on as it comes. All
/// calls are on one loop. The workers share the limit and the resolver, which outlive this object;
/// this object outlives its calls.
class PooledUpstream final : public ports::Upstream {
 public:
  /// `connections` counts the open connections. With options.tls, its context must be set.
  PooledUpstream(event::EventLoop& loop, event::Resolver& resolver, InFlightLimit& limit,
                 telemetry::Gauge connections, UpstreamOptions options);
  ~PooledUpstream() override;

  std::unique_ptr<ports::UpstreamCall> Send(const http::RequestHead& head, const std::string* body,
                                            const ports::UpstreamTerms& terms,
                                            ports::UpstreamEvents& events) override;
  /// Adds up the longest queue wait, look-up, connection attempts and response.
  Duration longest_wait() const override;
  Duration response_timeout() const override;

  [[nodiscard]] const UpstreamOptions& options() const { return resources_.options; }
  /// Counts running calls. A reload keeps this object until it is zero.
  [[nodiscard]] std::size_t calls() const { return resources_.calls; }
  [[nodiscard]] std::size_t idle_connections() const { return resources_.idle.size(); }

 private:
  UpstreamResources resources_;
};

}  // namespace idem::forward

// One upstream of one worker: implements ports::Upstream.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/event/event_loop.h"
#include "proxy/event/resolver.h"
#include "proxy/forward/address_directory.h"
#include "proxy/forward/forward_options.h"
#include "proxy/forward/idle_connections.h"
#include "proxy/forward/in_flight_limit.h"
#include "proxy/base/deadlines.h"
#include "proxy/ports/upstream.h"
#include "proxy/telemetry/metrics.h"

namespace idem::forward {

/// A call waits for a slot, takes an idle connection or makes one (at most three attempts, each to
/// another address if there is one), sends the request, and passes the response on as it comes. All
/// of it runs on one loop. The workers share the in-flight limit and the resolver, which outlive
/// this object. This object outlives its calls.
class PooledUpstream final : public ports::Upstream {
 public:
  /// `connections` counts the open ones. If options.tls is set, its context must be set too.
  PooledUpstream(event::EventLoop& loop, event::Resolver& resolver, InFlightLimit& limit,
                 telemetry::Gauge connections, UpstreamOptions options);
  ~PooledUpstream() override;

  std::unique_ptr<ports::UpstreamCall> Send(const http::RequestHead& head, const std::string* body,
                                            const ports::UpstreamTerms& terms,
                                            ports::UpstreamEvents& events) override;
  /// Returns the sum of the longest queue, look-up, connection attempts and response.
  Duration longest_wait() const override;
  Duration response_timeout() const override;

  [[nodiscard]] const UpstreamOptions& options() const { return options_; }
  /// Returns the number of calls under way. A reload keeps this object until it is zero.
  [[nodiscard]] std::size_t calls() const { return calls_; }
  [[nodiscard]] std::size_t idle_connections() const { return idle_.size(); }

 private:
  friend class ForwardCall;

  [[nodiscard]] std::unique_ptr<UpstreamConnection> Connect(const event::SocketAddress& to,
                                                            UpstreamConnectionEvents& user) const;
  [[nodiscard]] const std::string& server_name() const;
  std::string TakeBuffer();
  void GiveBuffer(std::string buffer);

  event::EventLoop& loop_;
  InFlightLimit& limit_;
  const telemetry::Gauge connections_;
  const UpstreamOptions options_;
  AddressDirectory directory_;
  IdleConnections idle_;
  TimeoutList queue_timeouts_;
  TimeoutList look_up_timeouts_;
  TimeoutList response_timeouts_;
  std::size_t calls_ = 0;
  std::vector<std::string> spare_buffers_;  // buffers of ended calls, reused by the next
};

}  // namespace idem::forward

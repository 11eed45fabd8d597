// One upstream as one worker uses it: implements ports::Upstream.
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

/// A call asks for a slot, takes a kept connection or makes one (at most three attempts, each at
/// another address where there is one), sends, and hands the response on as it comes. Everything
/// lives on one loop; the gate and the resolver are shared by the workers and outlive this, and
/// this outlives its calls.
class PooledUpstream final : public ports::Upstream {
 public:
  /// `connections` counts those that are open. With options.tls its context has been made.
  PooledUpstream(event::EventLoop& loop, event::Resolver& resolver, InFlightLimit& gate,
                 telemetry::Gauge connections, UpstreamOptions options);
  ~PooledUpstream() override;

  std::unique_ptr<ports::UpstreamCall> Send(const http::RequestHead& head, const std::string* body,
                                            const ports::UpstreamTerms& terms,
                                            ports::UpstreamEvents& events) override;
  /// The queue, the look-up, every connection attempt and the response, each at its longest.
  Duration longest_wait() const override;
  Duration response_timeout() const override;

  [[nodiscard]] const UpstreamOptions& options() const { return options_; }
  /// Calls under way: a reload keeps this until there are none.
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
  InFlightLimit& gate_;
  const telemetry::Gauge connections_;
  const UpstreamOptions options_;
  AddressDirectory directory_;
  IdleConnections idle_;
  TimeoutList queue_timeouts_;
  TimeoutList look_up_timeouts_;
  TimeoutList response_timeouts_;
  std::size_t calls_ = 0;
  std::vector<std::string> spare_buffers_;  // of calls that ended: their memory serves the next
};

}  // namespace idem::forward

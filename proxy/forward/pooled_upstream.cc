#include "proxy/forward/pooled_upstream.h"

#include <utility>

#include "proxy/forward/upstream_call.h"

namespace idem::forward {

PooledUpstream::PooledUpstream(event::EventLoop& loop, event::Resolver& resolver,
                               InFlightLimit& limit, telemetry::Gauge connections,
                               UpstreamOptions options)
    : resources_(loop, resolver, limit, connections, std::move(options)) {}

PooledUpstream::~PooledUpstream() { INVARIANT(resources_.calls == 0); }

std::unique_ptr<ports::UpstreamCall> PooledUpstream::Send(const http::RequestHead& head,
                                                          const std::string* body,
                                                          const ports::UpstreamTerms& terms,
                                                          ports::UpstreamEvents& events) {
  return std::make_unique<ForwardCall>(resources_, head, body, terms, events);
}

Duration PooledUpstream::longest_wait() const { return LongestWait(resources_.options); }

Duration PooledUpstream::response_timeout() const { return resources_.options.response_timeout; }

}  // namespace idem::forward

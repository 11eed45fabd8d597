#include "proxy/forward/pooled_upstream.h"

#include <utility>

#include "proxy/forward/upstream_call.h"

namespace idem::forward {
namespace {

constexpr std::size_t kSpareBuffersMax = 64;
constexpr std::size_t kSpareBufferBytesMax = 16 * 1024;

}  // namespace

PooledUpstream::PooledUpstream(event::EventLoop& loop, event::Resolver& resolver,
                               InFlightLimit& limit, telemetry::Gauge connections,
                               UpstreamOptions options)
    : loop_(loop),
      limit_(limit),
      connections_(connections),
      options_(std::move(options)),
      directory_(loop, resolver, options_.endpoints),
      idle_(loop, options_),
      queue_timeouts_(loop, options_.queue_timeout),
      look_up_timeouts_(loop, options_.connect_timeout),
      response_timeouts_(loop, options_.response_timeout) {
  INVARIANT(!options_.tls || options_.tls->context != nullptr);
}

PooledUpstream::~PooledUpstream() { INVARIANT(calls_ == 0); }

std::unique_ptr<ports::UpstreamCall> PooledUpstream::Send(const http::RequestHead& head,
                                                          const std::string* body,
                                                          const ports::UpstreamTerms& terms,
                                                          ports::UpstreamEvents& events) {
  return std::make_unique<ForwardCall>(*this, head, body, terms, events);
}

Duration PooledUpstream::longest_wait() const { return LongestWait(options_); }

Duration PooledUpstream::response_timeout() const { return options_.response_timeout; }

std::unique_ptr<UpstreamConnection> PooledUpstream::Connect(const event::SocketAddress& to,
                                                            UpstreamConnectionEvents& user) const {
  return std::make_unique<UpstreamConnection>(
      loop_, to,
      UpstreamConnection::ConnectTarget{.timeout = options_.connect_timeout,
                                        .tls = options_.tls ? options_.tls->context.get() : nullptr,
                                        .server_name = server_name(),
                                        .open_connections = connections_},
      user);
}

const std::string& PooledUpstream::server_name() const {
  const bool named = options_.tls && !options_.tls->server_name.empty();
  return named ? options_.tls->server_name : options_.endpoints.front().host;
}

std::string PooledUpstream::TakeBuffer() {
  if (spare_buffers_.empty()) return {};
  std::string buffer = std::move(spare_buffers_.back());
  spare_buffers_.pop_back();
  return buffer;
}

void PooledUpstream::GiveBuffer(std::string buffer) {
  if (spare_buffers_.size() >= kSpareBuffersMax || buffer.capacity() > kSpareBufferBytesMax) return;
  buffer.clear();
  spare_buffers_.push_back(std::move(buffer));
}

}  // namespace idem::forward

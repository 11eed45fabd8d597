#include "proxy/forward/upstream_resources.h"

#include <utility>

namespace idem::forward {
namespace {

constexpr std::size_t kBuffersMax = 64;
constexpr std::size_t kBufferBytesMax = 16 * 1024;

const std::string& ServerName(const UpstreamOptions& options) {
  const bool named = options.tls && !options.tls->server_name.empty();
  return named ? options.tls->server_name : options.endpoints.front().host;
}

}  // namespace

std::string SpareBuffers::Take() {
  if (buffers_.empty()) return {};
  std::string buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void SpareBuffers::Give(std::string buffer) {
  if (buffers_.size() >= kBuffersMax || buffer.capacity() > kBufferBytesMax) return;
  buffer.clear();
  buffers_.push_back(std::move(buffer));
}

UpstreamResources::UpstreamResources(event::EventLoop& on_loop, event::Resolver& resolver,
                                     InFlightLimit& limit, telemetry::Gauge open_connections,
                                     UpstreamOptions with_options)
    : loop(on_loop),
      gate(limit),
      connections(open_connections),
      options(std::move(with_options)),
      directory(loop, resolver, options.endpoints),
      idle(loop, options),
      queue_timeouts(loop, options.queue_timeout),
      look_up_timeouts(loop, options.connect_timeout),
      response_timeouts(loop, options.response_timeout) {
  INVARIANT(!options.tls || options.tls->context != nullptr);
}

std::unique_ptr<UpstreamConnection> UpstreamResources::Connect(
    const event::SocketAddress& to, UpstreamConnectionEvents& user) const {
  return std::make_unique<UpstreamConnection>(
      loop, to,
      UpstreamConnection::ConnectTarget{.timeout = options.connect_timeout,
                                        .tls = options.tls ? options.tls->context.get() : nullptr,
                                        .server_name = ServerName(options),
                                        .open_connections = connections},
      user);
}

}  // namespace idem::forward

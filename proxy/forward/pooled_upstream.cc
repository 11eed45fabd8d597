#include "proxy/forward/pooled_upstream.h"

#include <utility>

#include "proxy/forward/forward_call.h"

namespace idem::forward {
namespace {

constexpr std::size_t kSpareBuffersMax = 64;
constexpr std::size_t kSpareBufferBytesMax = 16 * 1024;

}  // namespace

Result<std::unique_ptr<event::TlsContext>> MakeTlsContext(const UpstreamOptions& options) {
  if (!options.tls) return std::unique_ptr<event::TlsContext>();
  return event::TlsContext::ForClient({.ca = options.tls->ca,
                                       .certificate = options.tls->certificate,
                                       .key = options.tls->key,
                                       .verify = options.tls->verify});
}

PooledUpstream::PooledUpstream(event::EventLoop& loop, event::Resolver& resolver,
                               InFlightGate& gate, UpstreamOptions options,
                               const event::TlsContext* tls)
    : loop_(loop),
      gate_(gate),
      options_(std::move(options)),
      tls_(tls),
      directory_(loop, resolver, options_.endpoints),
      idle_(loop, options_),
      queue_timeouts_(loop, options_.queue_timeout),
      look_up_timeouts_(loop, options_.connect_timeout),
      response_timeouts_(loop, options_.response_timeout) {
  INVARIANT(options_.tls.has_value() == (tls_ != nullptr));
}

PooledUpstream::~PooledUpstream() { INVARIANT(calls_ == 0); }

std::unique_ptr<exchange::UpstreamCall> PooledUpstream::Send(const http::RequestHead& head,
                                                             const std::string* body,
                                                             const exchange::UpstreamTerms& terms,
                                                             exchange::UpstreamEvents& events) {
  return std::make_unique<ForwardCall>(*this, head, body, terms, events);
}

Duration PooledUpstream::longest_wait() const { return LongestWait(options_); }

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

#include "proxy/forward/forward_options.h"

#include <algorithm>
#include <utility>

namespace idem::forward {

Status UseTls(UpstreamTls& tls) {
  auto context = event::TlsContext::ForClient(
      {.ca = tls.ca, .certificate = tls.certificate, .key = tls.key, .verify = tls.verify});
  if (!context) return std::move(context).error();
  tls.context = *std::move(context);
  return Ok();
}

Duration LongestWait(const UpstreamOptions& options) {
  const bool named = std::ranges::any_of(options.endpoints, [](const event::Endpoint& endpoint) {
    return !event::SocketAddress::FromLiteral(endpoint);
  });
  const Duration look_up = named ? options.connect_timeout : Duration::zero();
  return options.queue_timeout + look_up + kConnectAttemptsMax * options.connect_timeout +
         options.response_timeout;
}

}  // namespace idem::forward

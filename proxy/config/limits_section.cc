// Reads `limits`.
#include "proxy/config/sections.h"

namespace idem::config {

void ReadLimits(MapReader& root, Draft& draft) {
  const Node* node = root.Find("limits");
  if (node == nullptr) return;
  http_server::Options& server = draft.config.server;
  MapReader limits(*node, draft.mistakes);
  limits.ReadNumber("connections", server.connections_max, {1, 1'000'000});
  limits.ReadSize("request_line", server.parser.request_line_bytes, {64, 1 << 20});
  limits.ReadSize("headers", server.parser.header_bytes, {256, 1 << 20});
  limits.ReadNumber("header_count", server.parser.header_count, {1, 10'000});
  limits.ReadSize("body", draft.body_max, kBodyRange);
  limits.ReadTime("header_timeout", server.header_timeout, kWaitRange);
  limits.ReadTime("body_timeout", server.body_timeout, kWaitRange);
  limits.ReadTime("idle_timeout", server.idle_timeout, kWaitRange);
  limits.RefuseUnknownKeys();
  // Waiters occupy a connection each; they may be a quarter of all.
  draft.config.exchange.waiters_max = std::max<std::size_t>(1, server.connections_max / 4);
}

}  // namespace idem::config

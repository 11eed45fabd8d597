// The HTTP/1.1 server side: listeners, client connections, keep-alive, pipelining, timeouts. Knows
// nothing of what is served: the proxy, the admin listener and the order service each hand it an
// http::ServerService.
#pragma once

#include <atomic>
#include <memory>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/tls.h"
#include "proxy/http/parser.h"
#include "proxy/http/server_stream.h"

namespace idem::http_server {

struct Options {
  http::ParserLimits parser;
  /// Of the process: counted in `connections`. Beyond it the one of this server that is idle for
  /// longest is closed for a new one, which gets 503 `overloaded` where none is idle.
  std::size_t connections_max = 10000;
  /// First byte of a head to its end: 408. Also bounds a TLS handshake, which is then cut.
  Duration header_timeout = std::chrono::seconds(10);
  /// Between two reads of a body that is wanted: 408.
  Duration body_timeout = std::chrono::seconds(30);
  /// Between requests.
  Duration idle_timeout = std::chrono::seconds(75);
  /// No progress in sending an answer: the connection is cut.
  Duration write_timeout = std::chrono::seconds(60);
  /// What a slow reader may hold before its source is paused.
  std::size_t unsent_bytes_max = 64 * 1024;
};

/// With which certificates an address is served; null: without TLS. Shared by all loops, and with
/// the servers of an earlier configuration.
using ServerTls = std::shared_ptr<const event::TlsContext>;

/// One loop's server on one address.
class Server {
 public:
  /// `connections` counts the process's open client connections, those whose TLS handshake goes on
  /// among them, and is shared by all its servers.
  static Result<std::unique_ptr<Server>> Start(event::EventLoop& loop,
                                               const event::Endpoint& endpoint,
                                               const Options& options, http::ServerService& service,
                                               std::atomic<std::size_t>& connections,
                                               ServerTls tls = nullptr);
  /// Cuts every connection that is left (telling its handler OnClientGone).
  virtual ~Server() = default;

  [[nodiscard]] virtual const event::Endpoint& bound() const = 0;
  /// Stops accepting; idle connections close, busy ones after the answer that runs (with
  /// Connection: close).
  virtual void Drain() = 0;
  /// Connections still open.
  [[nodiscard]] virtual std::size_t connection_count() const = 0;
  /// For a reload: later requests see these.
  virtual void SetOptions(const Options& options) = 0;
  /// The same for later connections.
  virtual void SetTls(ServerTls tls) = 0;
};

}  // namespace idem::http_server

// The HTTP/1.1 server: listeners, client connections, keep-alive, pipelining, timeouts. It serves
// any http::ServerService: the proxy, the admin listener and the order service each have one.
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
  /// Limits the open connections of the process. Beyond the limit, this server closes its
  /// connection that is idle for longest to make room. If none is idle, the new one gets 503
  /// `overloaded`.
  std::size_t connections_max = 10000;
  /// From the first byte of a head to its end; then 408. A TLS handshake that takes longer is cut.
  Duration header_timeout = std::chrono::seconds(10);
  /// Between two reads of a body that the handler asks for; then 408.
  Duration body_timeout = std::chrono::seconds(30);
  /// Between two requests.
  Duration idle_timeout = std::chrono::seconds(75);
  /// Without a byte of the answer taken by the kernel; then the connection is cut.
  Duration write_timeout = std::chrono::seconds(60);
  /// Limits the unsent bytes with which another request may begin.
  std::size_t unsent_bytes_max = 64 * 1024;
};

/// The certificates of an address; null if it is served without TLS. All loops share it, also with
/// the servers of an earlier configuration.
using ServerTls = std::shared_ptr<const event::TlsContext>;

/// One loop's server on one address.
class Server {
 public:
  /// `connections` counts the open client connections of the process, also during their TLS
  /// handshake. All servers of the process share it.
  static Result<std::unique_ptr<Server>> Start(event::EventLoop& loop,
                                               const event::Endpoint& endpoint,
                                               const Options& options, http::ServerService& service,
                                               std::atomic<std::size_t>& connections,
                                               ServerTls tls = nullptr);
  /// Cuts every connection that is left; its handler gets OnClientGone().
  virtual ~Server() = default;

  [[nodiscard]] virtual const event::Endpoint& bound() const = 0;
  /// Stops accepting. Idle connections close at once, busy ones after the current answer (with
  /// `Connection: close`).
  virtual void Drain() = 0;
  /// Counts the open connections of this server.
  [[nodiscard]] virtual std::size_t connection_count() const = 0;
  /// Called on a reload. Later requests see the new options.
  virtual void SetOptions(const Options& options) = 0;
  /// Called on a reload. Later connections use the new certificates.
  virtual void SetTls(ServerTls tls) = 0;
};

}  // namespace idem::http_server

// One connection to the backend, which carries one request after another.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/loop.h"
#include "proxy/event/connection.h"
#include "proxy/http/parser.h"
#include "proxy/ports/upstream.h"
#include "proxy/telemetry/metrics.h"

namespace idem::forward {

class UpstreamConnection;

/// The user of a connection: an active call, or the idle pool, which gets OnBroken only. A user may
/// retire the connection inside any of these events.
class UpstreamConnectionEvents {
 public:
  virtual ~UpstreamConnectionEvents() = default;
  virtual void OnConnected() {}
  virtual void OnConnectFailed(const Error& /*error*/) {}
  /// Bytes have come; they are parsed after this call.
  virtual void OnRead() {}
  virtual void OnResponseHead(http::ResponseHead& /*head*/) {}  // final, or 1xx other than 100
  virtual void OnResponseBody(std::string_view /*bytes*/) {}
  virtual void OnResponseEnd() {}
  /// The connection has failed with kReset or kMalformed. Called instead of OnResponseEnd, or while
  /// idle.
  virtual void OnBroken(UpstreamConnection& connection, ports::UpstreamProblem problem,
                        std::string_view detail) = 0;
  /// The kernel has taken all bytes, after it had refused some.
  virtual void OnSent() {}
};

/// Its user owns it. It may be on the stack, so drop it with Retire().
///
///   connecting ──▶ idle ──Send()──▶ busy ──OnResponseEnd, reusable()──▶ idle
class UpstreamConnection final : public Retirable, event::ConnectionEvents, http::ResponseEvents {
 public:
  /// The way to reach the backend, except for its address.
  struct ConnectTarget {
    Duration timeout;                        // of the connect, TLS handshake included
    const event::TlsContext* tls = nullptr;  // null for plain HTTP
    const std::string& server_name;          // the name that the certificate must have, with TLS
    telemetry::Gauge open_connections;       // counts this connection from OnConnected on
  };

  /// Connects. The user gets OnConnected or OnConnectFailed.
  UpstreamConnection(event::EventLoop& loop, const event::SocketAddress& to,
                     const ConnectTarget& target, UpstreamConnectionEvents& user);
  ~UpstreamConnection() override;

  /// Closes the socket now, with RST if `abort`, and destroys the rest on a later turn.
  static void Retire(event::EventLoop& loop, std::unique_ptr<UpstreamConnection> connection,
                     bool abort);

  void SetUser(UpstreamConnectionEvents& user) { user_ = &user; }

  /// Sends the first bytes of a request. Returns false if the connection was dead and took no byte.
  bool Send(std::string_view method, std::string_view head, std::string_view body);
  /// Sends more of the same request.
  void SendMore(std::string_view bytes) { connection_->Write(bytes); }
  [[nodiscard]] std::size_t unsent_bytes() const { return connection_->unsent_bytes(); }

  void PauseResponse();
  void ResumeResponse();

  /// Returns true if a byte of the response to the present request has come.
  [[nodiscard]] bool response_begun() const { return response_begun_; }
  /// Returns true if response and request are complete and the connection may carry another
  /// request.
  [[nodiscard]] bool reusable() const;
  [[nodiscard]] bool quiet() const { return connection_->quiet(); }
  [[nodiscard]] const std::string& address() const { return connection_->peer_address(); }

 private:
  void OnConnected() override;
  void OnData() override;
  void OnEnd() override;
  void OnDrained() override;
  void OnFailure(const Error& error) override;

  void OnResponseHead() override;
  void OnResponseBody(std::string_view bytes) override;
  void OnResponseEnd() override { response_ended_ = true; }

  void Break(ports::UpstreamProblem problem, std::string_view detail);

  const telemetry::Gauge open_connections_;
  UpstreamConnectionEvents* user_;  // never null; gets no event after Retire()
  bool connected_ = false;
  bool retired_ = false;
  bool busy_ = false;
  bool paused_ = false;
  bool response_begun_ = false;
  bool response_ended_ = false;
  bool peer_keeps_alive_ = false;
  http::ResponseParser parser_;
  std::unique_ptr<event::Connection> connection_;
};

}  // namespace idem::forward

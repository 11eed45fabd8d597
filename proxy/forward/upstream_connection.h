// One connection to the backend: requests out, responses in, one after another.
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

/// Whoever uses a connection: the call that connects or sends, or the keeper of idle ones, which
/// hears OnBroken only. May retire the connection inside any of these.
class UpstreamConnectionEvents {
 public:
  virtual ~UpstreamConnectionEvents() = default;
  virtual void OnConnected() {}
  virtual void OnConnectFailed(const Error& /*error*/) {}
  /// Something came, and is looked at after this.
  virtual void OnRead() {}
  virtual void OnResponseHead(http::ResponseHead& /*head*/) {}  // final, or 1xx other than 100
  virtual void OnResponseBody(std::string_view /*bytes*/) {}
  virtual void OnResponseEnd() {}
  /// kReset or kMalformed. Instead of OnResponseEnd, or while idle.
  virtual void OnBroken(UpstreamConnection& connection, ports::UpstreamProblem problem,
                        std::string_view detail) = 0;
  /// The kernel has taken all, after a time when it had not.
  virtual void OnSent() {}
};

/// Owned by its user. Retire() is the way to drop it: it may be on the stack.
///
///   connecting ──▶ idle ──Send()──▶ busy ──OnResponseEnd, reusable()──▶ idle
class UpstreamConnection final : public Retirable, event::ConnectionEvents, http::ResponseEvents {
 public:
  /// How to reach the backend, beside its address.
  struct ConnectTarget {
    Duration timeout;                        // of the connect, the TLS handshake included
    const event::TlsContext* tls = nullptr;  // null: plain
    const std::string& server_name;          // with TLS: whose certificate must be shown
    telemetry::Gauge open_connections;       // counts this one, from OnConnected on
  };

  /// Connects; the user hears OnConnected or OnConnectFailed.
  UpstreamConnection(event::EventLoop& loop, const event::SocketAddress& to,
                     const ConnectTarget& way, UpstreamConnectionEvents& user);
  ~UpstreamConnection() override;

  /// Closes the socket in order (`abort`: with RST), now, and destroys the rest on a later turn.
  static void Retire(event::EventLoop& loop, std::unique_ptr<UpstreamConnection> connection,
                     bool abort);

  void SetUser(UpstreamConnectionEvents& user) { user_ = &user; }

  /// The first bytes of a request to be answered. false: the connection was dead, and not one byte
  /// was taken.
  bool Send(std::string_view method, std::string_view head, std::string_view body);
  /// More of the same request.
  void SendMore(std::string_view bytes) { connection_->Write(bytes); }
  [[nodiscard]] std::size_t unsent_bytes() const { return connection_->unsent_bytes(); }

  void PauseResponse();
  void ResumeResponse();

  /// A byte of the response to the present request has come.
  [[nodiscard]] bool response_begun() const { return response_begun_; }
  /// The response is complete, and so is the request, and nothing speaks against another one.
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
  UpstreamConnectionEvents* user_;  // never null; after Retire() nothing is told
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

// One client's connection. Requests are served one after the other: each goes to a handler and is
// answered before the next one begins (RFC 9112, section 9.3).
//
//                 head complete                answer ended, request ended
//   ┌▶ kReading ─────────────────▶ kRunning ──────────────────────────────┐
//   │     │ malformed, too slow       ▲  │ the answer was the last one    │
//   │     └───────────────────────────┘  ▼                                │
//   │     │ idle for too long       kLingering ──FIN, 2 s──▶ kClosed      │
//   │     └──────────────────────────────────────────────────▶ ▲          │
//   └─────────────────────────────────────────────────────────────────────┘
//
// A failure of the connection leads to kClosed from every phase. In kLingering our side has ended,
// and the client's bytes are dropped: closing a socket with unread bytes would reset the
// connection, and a client that has not read its answer yet would lose it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "proxy/base/deadlines.h"
#include "proxy/base/loop.h"
#include "proxy/event/connection.h"
#include "proxy/http/server_stream.h"
#include "proxy/http_server/client_answer.h"
#include "proxy/http_server/idle_ring.h"
#include "proxy/http_server/request_reader.h"
#include "proxy/http_server/running_request.h"
#include "proxy/http_server/server.h"

namespace idem::http_server {

class ClientConnection;

/// The server as its connections use it. It owns them and outlives them.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  [[nodiscard]] virtual http::ServerService& service() = 0;
  [[nodiscard]] virtual bool draining() const = 0;
  /// Calls connection.OnLaterTurn() on a later turn.
  virtual void WantLaterTurn(ClientConnection& connection) = 0;
  /// The connection has begun to wait for a request.
  virtual void BecameIdle(ClientConnection& connection) = 0;
  /// Removes the connection now, and destroys it on a later turn.
  virtual void Retire(ClientConnection& connection) = 0;
};

class ClientConnection final : public Retirable,
                               public IdleRingNode,
                               public http::ServerStream,
                               private event::ConnectionEvents {
 public:
  /// `tls` is null for a connection without TLS, and need not outlive the call.
  ClientConnection(event::EventLoop& loop, int socket, std::string peer_address,
                   const Options& options, const event::TlsContext* tls, ConnectionOwner& owner);
  ~ClientConnection() override;

  /// Answers 503 without reading, because there are too many connections.
  void RefuseForOverload();
  void OnLaterTurn();
  /// Closes the connection to make room for another one, if it waits for a request of which no byte
  /// has arrived. Returns whether it did.
  bool CloseIfIdle();
  /// The server drains. Closes the connection if it is between two requests.
  void OnDrainBegin();
  /// The server is destroyed. Calls the handler's OnClientGone() and cuts the connection.
  void Cut();
  /// Takes effect with the next request.
  void SetOptions(const Options& options);

  // http::ServerStream
  [[nodiscard]] const http::Peer& peer() const override { return peer_; }
  void LimitBody(std::uint64_t bytes_max) override { reader_.LimitBody(bytes_max); }
  void PauseBody() override { request_.PauseBody(); }
  void ResumeBody() override;
  void SendInterim(const http::ResponseHead& head) override;
  void SendHead(const http::ResponseHead& head) override;
  void SendBody(std::string_view bytes) override;
  void End() override;
  void Abort() override;
  [[nodiscard]] std::size_t unsent_bytes() const override { return answer_.unsent_bytes(); }
  void CloseAfter() override { close_ = true; }

  std::size_t owner_index = 0;  // used by the server only, as the next one
  bool later_turn_wanted = false;

 private:
  enum class Phase : std::uint8_t { kReading, kRunning, kLingering, kClosed };
  enum class Waiting : std::uint8_t { kNothing, kRequest, kHead, kBody, kLingerEnd };

  // event::ConnectionEvents
  void OnData() override;
  void OnEnd() override;
  void OnDrained() override;
  void OnFailure(const Error& error) override;
  [[nodiscard]] std::unique_ptr<event::Connection> Accept(event::EventLoop& loop, int socket,
                                                          const event::TlsContext* tls);
  void Advance();
  // These return whether another step may follow.
  bool Step();
  bool ReadHead();
  bool RunRequest();
  bool EndRequest();
  void BeginRequest();
  void BeginBadRequest(const http::ParseError& error);
  void BeginAnswer();
  void FailBody(const http::ParseError& error);
  [[nodiscard]] bool may_begin_request() const;
  [[nodiscard]] bool rest_of_request_is_here() const;

  void BeginLinger();
  void DropInput();
  void Close();
  void WantLaterTurn();

  void UpdateDeadline();
  void Wait(Waiting waiting, Duration delay);
  void OnDeadline();
  void OnStalled();

  ConnectionOwner& owner_;
  Options options_;
  std::string peer_address_;
  http::Peer peer_;
  std::unique_ptr<event::Connection> connection_;

  Phase phase_ = Phase::kReading;
  bool advancing_ = false;     // Advance() is on the stack
  bool has_received_ = false;  // bytes arrived; with TLS, the handshake is done
  bool end_seen_ = false;      // the client's FIN
  bool close_ = false;         // the current request is the last one
  RunningRequest request_;
  RequestReader reader_;
  ClientAnswer answer_;

  Waiting waiting_ = Waiting::kNothing;
  LazyTimer deadline_;
  std::size_t lingered_bytes_ = 0;  // dropped in kLingering
};

}  // namespace idem::http_server

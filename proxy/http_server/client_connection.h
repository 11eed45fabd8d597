// One client's connection: requests one after another, each given to a handler and answered before
// the next one begins (RFC 9112, section 9.3).
//
//                 head complete                answer ended, request ended
//   ┌▶ kReading ─────────────────▶ kRunning ──────────────────────────────┐
//   │     │ malformed, too slow       ▲  │ the answer was the last one    │
//   │     └───────────────────────────┘  ▼                                │
//   │     │ idle for too long       kLingering ──FIN, 2 s──▶ kClosed      │
//   │     └──────────────────────────────────────────────────▶ ▲          │
//   └─────────────────────────────────────────────────────────────────────┘
//
// From anywhere a failure of the connection leads to kClosed. Lingering: our side has ended, and
// what the client still sends is dropped, because closing on unread bytes would reset the
// connection and take the answer away from a client that has not read it yet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/event/connection.h"
#include "proxy/http/parser.h"
#include "proxy/http/server_stream.h"
#include "proxy/http_server/client_answer.h"
#include "proxy/http_server/idle_ring.h"
#include "proxy/http_server/lazy_timer.h"
#include "proxy/http_server/server.h"

namespace idem::http_server {

class ClientConnection;

/// What a connection asks of its server, which owns it and outlives it.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  [[nodiscard]] virtual http::ServerService& service() = 0;
  [[nodiscard]] virtual bool draining() const = 0;
  /// Calls connection.OnLaterTurn() on a later turn.
  virtual void WantLaterTurn(ClientConnection& connection) = 0;
  /// It waits for a request, and did not before.
  virtual void BecameIdle(ClientConnection& connection) = 0;
  /// Destroys it on a later turn; forgets it now.
  virtual void Retire(ClientConnection& connection) = 0;
};

class ClientConnection final : public Retirable,
                               public IdleRingNode,
                               public http::ServerStream,
                               private event::ConnectionEvents,
                               private http::RequestEvents {
 public:
  /// `tls` is null for a plain one, and need not outlive the call.
  ClientConnection(event::EventLoop& loop, int socket, std::string peer_address,
                   const Options& options, const event::TlsContext* tls, ConnectionOwner& home);
  ~ClientConnection() override;

  /// Answers 503 without reading: there are too many connections.
  void RefuseForOverload();
  void OnLaterTurn();
  /// Closes it to make room for another one, if it waits for a request of which nothing has come.
  bool CloseIfIdle();
  /// The server drains: closes, if it is between two requests.
  void OnDrainBegin();
  /// The server goes away: tells the handler, and cuts.
  void Cut();
  /// From the next request on.
  void SetOptions(const Options& options);

  // http::ServerStream
  [[nodiscard]] const http::Peer& peer() const override { return peer_; }
  void LimitBody(std::uint64_t bytes_max) override { parser_->LimitBody(bytes_max); }
  void PauseBody() override { reading_body_ = false; }
  void ResumeBody() override;
  void SendInterim(const http::ResponseHead& head) override;
  void SendHead(const http::ResponseHead& head) override;
  void SendBody(std::string_view bytes) override;
  void End() override;
  void Abort() override;
  [[nodiscard]] std::size_t unsent_bytes() const override;
  void CloseAfter() override { close_ = true; }

  std::size_t home_index = 0;  // the server's: where it keeps this connection
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
  // http::RequestEvents
  void OnRequestHead() override {}
  void OnRequestBody(std::string_view bytes) override;
  void OnRequestEnd() override;

  std::unique_ptr<http::RequestParser> MakeParser();
  void RenewParser();  // for the next request
  // Each step tells whether another one may follow.
  void Advance();
  bool Step();
  bool ReadHead();
  bool RunRequest();
  bool WindUpRequest();
  http::RequestParser::Progress Feed();
  void BeginRequest();
  void BeginBadRequest(const http::ParseError& error);
  void BeginResult();
  void FailBody(const http::ParseError& error);
  [[nodiscard]] bool running_handler() const { return phase_ == Phase::kRunning && !answered_; }
  [[nodiscard]] bool may_begin_request() const;
  [[nodiscard]] bool body_bytes_are_due() const;
  [[nodiscard]] bool rest_of_request_is_here() const;

  void Flush(std::string_view body = {});
  void BoundUnsent();
  void BeginLinger();
  void DropInput();
  void TellClientGone();
  void Close();
  void WantLaterTurn();

  void UpdateDeadline();
  void Wait(Waiting waiting, Duration delay);
  void OnDeadline();
  void OnWriteDeadline();

  ConnectionOwner& home_;
  Options options_;
  std::string peer_address_;
  http::Peer peer_;
  std::unique_ptr<event::Connection> connection_;
  std::unique_ptr<http::RequestParser> parser_;
  bool parser_is_outdated_ = false;

  Phase phase_ = Phase::kReading;
  bool advancing_ = false;  // Advance() is on the stack
  bool feeding_ = false;    // Feed() is: received() may hold bytes that were told already
  bool heard_ = false;      // something came: with TLS, the handshake is done
  bool end_seen_ = false;   // the client's FIN
  bool broken_ = false;     // a write failed: OnFailure follows

  // The request that runs.
  http::ServerHandler* handler_ = nullptr;
  http::BodyLength request_body_;
  std::uint64_t request_bytes_left_ = 0;  // of a known length
  bool expects_continue_ = false;
  bool reading_body_ = false;   // the handler wants it
  bool request_ended_ = false;  // all of it was read
  bool answered_ = false;       // the handler has ended
  bool close_ = false;          // this is the connection's last request

  ClientAnswer answer_;
  std::string out_;  // rendered and not yet given to the connection

  Waiting waiting_ = Waiting::kNothing;
  LazyTimer deadline_;
  LazyTimer write_deadline_;
  std::uint64_t written_bytes_ = 0;    // given to the connection since it was made
  std::uint64_t sent_bytes_seen_ = 0;  // of them, taken by the kernel when we last looked
  std::size_t lingered_bytes_ = 0;     // dropped
};

}  // namespace idem::http_server

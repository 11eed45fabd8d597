#include "proxy/forward/upstream_connection.h"

#include <utility>

namespace idem::forward {

using ports::UpstreamProblem;

UpstreamConnection::UpstreamConnection(event::EventLoop& loop, const event::SocketAddress& to,
                                       const ConnectTarget& target, UpstreamConnectionEvents& user)
    : open_connections_(target.open_connections),
      user_(&user),
      parser_(http::ParserLimits{}, *this),
      connection_(target.tls == nullptr
                      ? event::Connection::Connect(loop, to, target.timeout, *this, {})
                      : event::Connection::ConnectTls(loop, to, *target.tls, target.server_name,
                                                      target.timeout, *this, {})) {}

UpstreamConnection::~UpstreamConnection() {
  if (connected_) open_connections_.Add(-1);
}

void UpstreamConnection::Retire(event::EventLoop& loop,
                                std::unique_ptr<UpstreamConnection> connection, bool abort) {
  connection->retired_ = true;
  if (abort) {
    connection->connection_->Abort();
  } else {
    connection->connection_->PauseReading();  // the destructor sends its FIN
  }
  loop.DeleteLater(std::move(connection));
}

bool UpstreamConnection::Send(std::string_view method, std::string_view head,
                              std::string_view body) {
  INVARIANT(!busy_);
  busy_ = true;
  response_begun_ = response_ended_ = peer_keeps_alive_ = false;
  parser_.Begin(method);
  return connection_->Write(head, body);
}

void UpstreamConnection::PauseResponse() {
  paused_ = true;
  connection_->PauseReading();
}

void UpstreamConnection::ResumeResponse() {
  paused_ = false;
  connection_->ResumeReading();
}

bool UpstreamConnection::reusable() const {
  return response_ended_ && peer_keeps_alive_ && !paused_ && parser_.reusable() &&
         connection_->unsent_bytes() == 0 && connection_->received().empty();
}

void UpstreamConnection::OnConnected() {
  connected_ = true;
  open_connections_.Add(1);
  user_->OnConnected();
}

/// Unexpected bytes on an idle connection make it useless, because they would be read as the answer
/// to the next request.
void UpstreamConnection::OnData() {
  if (retired_ || (!busy_ && connection_->received().empty())) return;
  if (!busy_)
    return Break(UpstreamProblem::kMalformed, "the backend sent bytes that answer no request");
  response_begun_ = response_begun_ || !connection_->received().empty();
  user_->OnRead();
  while (!retired_ && !paused_) {
    const auto progress = parser_.Feed(connection_->received());
    if (retired_) return;
    connection_->Consume(progress.consumed);
    if (progress.error != nullptr) {
      return Break(UpstreamProblem::kMalformed, progress.error->detail);
    }
    if (response_ended_) {
      busy_ = false;
      return user_->OnResponseEnd();
    }
    if (!progress.again) return;
  }
}

void UpstreamConnection::OnEnd() {
  if (retired_) return;
  if (!busy_) return Break(UpstreamProblem::kReset, "the backend closed the idle connection");
  const auto* error = parser_.FeedEnd();
  if (retired_) return;
  if (error != nullptr) return Break(UpstreamProblem::kReset, error->detail);
  busy_ = false;
  peer_keeps_alive_ = false;
  user_->OnResponseEnd();
}

void UpstreamConnection::OnDrained() {
  if (busy_ && !retired_) user_->OnSent();
}

void UpstreamConnection::OnFailure(const Error& error) {
  if (retired_) return;
  if (!connected_) return user_->OnConnectFailed(error);
  Break(UpstreamProblem::kReset, error.detail);
}

void UpstreamConnection::Break(UpstreamProblem problem, std::string_view detail) {
  busy_ = false;
  user_->OnBroken(*this, problem, detail);
}

void UpstreamConnection::OnResponseHead() {
  http::ResponseHead& head = parser_.head();
  peer_keeps_alive_ = head.keep_alive;  // read now, because the user may move the head away
  if (!retired_ && head.status != 100) user_->OnResponseHead(head);
}

void UpstreamConnection::OnResponseBody(std::string_view bytes) {
  if (!retired_) user_->OnResponseBody(bytes);
}

}  // namespace idem::forward

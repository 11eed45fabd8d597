#include "proxy/http_server/client_connection.h"

#include <algorithm>
#include <utility>

#include "proxy/base/invariant.h"
#include "proxy/base/log.h"

namespace idem::http_server {

namespace {

constexpr http::ParseError kHeaderTimeout{408, "request-timeout",
                                          "the header section took too long"};
constexpr http::ParseError kBodyTimeout{408, "request-timeout", "the body took too long"};
constexpr http::ParseError kBodyCut{400, "bad-request", "the body ended before its length"};
constexpr http::ParseError kOverloaded{503, "overloaded", "there are too many connections"};

constexpr Duration kLingerTime = std::chrono::seconds(2);
constexpr std::size_t kLingerBytesMax = std::size_t{16} * 1024 * 1024;

// Leaves room for a whole head, and for bytes that arrive while a body is paused.
event::Connection::Options BufferOptions(const Options& options) {
  constexpr std::size_t kBufferMin = std::size_t{64} * 1024;
  const http::ParserLimits& limits = options.parser;
  const std::size_t head_bytes_max = limits.request_line_bytes + limits.header_bytes + 1024;
  return {.read_buffer_bytes = 4 * 1024,
          .read_buffer_max = std::max({kBufferMin, head_bytes_max, limits.trailer_bytes + 1024})};
}

}  // namespace

ClientConnection::ClientConnection(event::EventLoop& loop, int socket, std::string peer_address,
                                   const Options& options, const event::TlsContext* tls,
                                   ConnectionOwner& owner)
    : owner_(owner),
      options_(options),
      peer_address_(std::move(peer_address)),
      peer_{.address = peer_address_, .tls = tls != nullptr, .tls_subject = {}},
      connection_(Accept(loop, socket, tls)),
      reader_(*connection_, options_, request_),
      answer_(loop, *connection_, options_, [this] { OnStalled(); }),
      deadline_(loop, [this] { OnDeadline(); }) {
  Wait(Waiting::kRequest, options_.idle_timeout);
}

ClientConnection::~ClientConnection() { INVARIANT(!request_.active()); }

std::unique_ptr<event::Connection> ClientConnection::Accept(event::EventLoop& loop, int socket,
                                                            const event::TlsContext* tls) {
  const auto buffer = BufferOptions(options_);
  if (tls == nullptr) return event::Connection::Accepted(loop, socket, *this, buffer);
  return event::Connection::AcceptedTls(loop, socket, *tls, options_.header_timeout, *this, buffer);
}

// ---- Reading ------------------------------------------------------------------------------------

void ClientConnection::OnData() {
  if (!std::exchange(has_received_, true)) peer_.tls_subject = connection_->peer_subject();
  if (phase_ == Phase::kLingering) return DropInput();
  if (phase_ == Phase::kClosed) return connection_->Consume(connection_->received().size());
  Advance();
}

void ClientConnection::OnEnd() {
  end_seen_ = true;
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kLingering) return BeginLinger();
  Advance();
}

void ClientConnection::OnLaterTurn() {
  if (phase_ == Phase::kClosed) return;
  answer_.Flush();
  Advance();
}

// Goes on as far as the bytes and the handler allow. A handler may call the stream from inside a
// step; the next step then acts on it.
void ClientConnection::Advance() {
  if (std::exchange(advancing_, true)) return;
  while (Step()) {
  }
  advancing_ = false;
  if (phase_ == Phase::kClosed) return;
  answer_.Flush();
  UpdateDeadline();
}

bool ClientConnection::Step() {
  if (phase_ == Phase::kReading) return ReadHead();
  if (phase_ == Phase::kRunning) return request_.active() ? RunRequest() : EndRequest();
  return false;
}

// A client that sends requests without reading the answers must read some first.
bool ClientConnection::may_begin_request() const {
  return !answer_.broken() && connection_->unsent_bytes() <= options_.unsent_bytes_max;
}

bool ClientConnection::ReadHead() {
  if (!may_begin_request()) return false;
  const auto progress = reader_.Feed();
  if (progress.error != nullptr) {
    BeginBadRequest(*progress.error);
    return true;
  }
  if (reader_.in_body()) {
    BeginRequest();
    return true;
  }
  if (progress.again) return true;
  if (end_seen_) BeginLinger();
  return false;
}

void ClientConnection::BeginAnswer() {
  phase_ = Phase::kRunning;
  waiting_ = Waiting::kNothing;  // the next head gets its own time
  const http::RequestHead& head = reader_.head();
  answer_.Begin(head.method, head.version);
}

void ClientConnection::BeginRequest() {
  BeginAnswer();
  http::RequestHead& head = reader_.head();
  request_.Begin(head);
  close_ = !head.keep_alive;
  request_.SetHandler(owner_.service().OnRequest(*this, head));
}

// No byte behind the fault is read.
void ClientConnection::BeginBadRequest(const http::ParseError& error) {
  BeginAnswer();
  request_.BeginUnreadable();
  close_ = true;
  request_.SetHandler(owner_.service().OnBadRequest(*this, reader_.head(), error));
}

void ClientConnection::RefuseForOverload() {
  advancing_ = true;
  BeginBadRequest(kOverloaded);
  advancing_ = false;
  Advance();
}

// Gives the body to the handler as long as it asks for it.
bool ClientConnection::RunRequest() {
  if (!request_.reads_body()) return false;
  const auto progress = reader_.Feed();
  if (progress.error != nullptr) {
    if (request_.active()) FailBody(*progress.error);
    return true;
  }
  if (progress.again || request_.ended()) return true;
  if (!end_seen_ || !request_.active()) return false;
  FailBody(kBodyCut);
  return true;
}

void ClientConnection::FailBody(const http::ParseError& error) {
  close_ = true;
  request_.OnBodyError(error);
}

// The handler has ended its answer. Makes no call to handlers, because End() calls this too.
bool ClientConnection::EndRequest() {
  const bool drop_the_rest = !close_ && !request_.ended() && rest_of_request_is_here();
  if (drop_the_rest && reader_.Feed().error == nullptr) return true;
  if (close_ || !request_.ended() || owner_.draining()) {
    BeginLinger();
    return false;
  }
  reader_.Renew();
  phase_ = Phase::kReading;
  return true;
}

bool ClientConnection::rest_of_request_is_here() const {
  return request_.ends_within(reader_.unparsed_bytes());
}

// ---- Answering (http::ServerStream) -------------------------------------------------------------

void ClientConnection::ResumeBody() {
  INVARIANT(request_.active());
  request_.ResumeBody();
  const bool nothing_came = connection_->received().empty();
  const bool client_waits = request_.TakeExpectContinue() && request_.needs_bytes() &&
                            nothing_came && !answer_.head_sent();
  if (client_waits) answer_.SendContinue();
  if (advancing_) return;
  if (end_seen_ || !request_.needs_bytes() || !nothing_came) {
    WantLaterTurn();
  } else {
    UpdateDeadline();
  }
}

void ClientConnection::SendInterim(const http::ResponseHead& head) {
  INVARIANT(request_.active());
  answer_.SendInterim(head);
}

void ClientConnection::SendHead(const http::ResponseHead& head) {
  INVARIANT(request_.active());
  const bool nothing_follows = end_seen_ && reader_.unparsed_bytes() <= request_.bytes_left();
  if (nothing_follows || owner_.draining() || !rest_of_request_is_here()) close_ = true;
  answer_.AppendHead(head, !close_);
  if (answer_.ends_with_connection()) close_ = true;
  if (!advancing_) WantLaterTurn();  // flushes the head if no body follows at once
}

void ClientConnection::SendBody(std::string_view bytes) {
  INVARIANT(request_.active());
  answer_.SendBody(bytes);
}

void ClientConnection::End() {
  INVARIANT(request_.active());
  answer_.End();
  request_.SetAnswered();
  if (advancing_) return;
  while (phase_ == Phase::kRunning && EndRequest()) {
  }
  if (phase_ != Phase::kReading) return;
  if (end_seen_ || !connection_->received().empty()) {
    WantLaterTurn();
  } else {
    UpdateDeadline();
  }
}

void ClientConnection::Abort() {
  INVARIANT(request_.active());
  request_.SetAnswered();
  connection_->Abort();
  Close();
}

void ClientConnection::WantLaterTurn() {
  if (!std::exchange(later_turn_wanted, true)) owner_.WantLaterTurn(*this);
}

// ---- Ending -------------------------------------------------------------------------------------

void ClientConnection::BeginLinger() {
  phase_ = Phase::kLingering;
  connection_->EndWriting();
  if (answer_.broken()) return;  // OnFailure() follows
  answer_.WatchUnsent();
  if (connection_->unsent_bytes() > 0) return Wait(Waiting::kNothing, {});  // until OnDrained
  if (end_seen_) return Close();
  Wait(Waiting::kLingerEnd, kLingerTime);
  DropInput();
}

void ClientConnection::DropInput() {
  const std::size_t bytes = connection_->received().size();
  connection_->Consume(bytes);
  lingered_bytes_ += bytes;
  if (lingered_bytes_ > kLingerBytesMax) Close();
}

void ClientConnection::OnDrained() {
  answer_.StopWatching();
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kLingering) return BeginLinger();
  request_.OnDrained();
  Advance();
}

void ClientConnection::OnFailure(const Error& error) {
  if (phase_ == Phase::kClosed) return;
  // No access line reports a failed handshake, and the client may be one whose certificate was
  // refused.
  if (peer_.tls && !has_received_) {
    log::WriteLimited(log::Level::kInfo, "tls_failed", {{"reason", error.detail}});
  }
  request_.OnClientGone();
  Close();
}

void ClientConnection::Cut() {
  request_.OnClientGone();
  connection_->Abort();
  phase_ = Phase::kClosed;
}

// The socket is closed on a later turn, with this object, because a handler may still read bytes in
// its buffer.
void ClientConnection::Close() {
  phase_ = Phase::kClosed;
  deadline_.Clear();
  answer_.StopWatching();
  owner_.Retire(*this);
}

bool ClientConnection::CloseIfIdle() {
  const bool is_quiet = (peer_.tls && !has_received_) || connection_->quiet();
  const bool is_idle = phase_ == Phase::kReading && waiting_ == Waiting::kRequest && is_quiet;
  if (is_idle) Close();
  return is_idle;
}

void ClientConnection::OnDrainBegin() {
  if (phase_ == Phase::kReading && reader_.between_requests()) {
    BeginLinger();
  }
}

void ClientConnection::SetOptions(const Options& options) {
  options_ = options;
  reader_.SetOutdated();
  if (phase_ == Phase::kReading && reader_.at_message_start()) reader_.Renew();
}

// ---- Waiting ------------------------------------------------------------------------------------

void ClientConnection::UpdateDeadline() {
  switch (phase_) {
    case Phase::kReading: {
      const bool between = reader_.between_requests();
      if (between) {
        if (waiting_ != Waiting::kRequest) owner_.BecameIdle(*this);
        return Wait(Waiting::kRequest, options_.idle_timeout);
      }
      answer_.WatchUnsent();
      if (!may_begin_request()) return Wait(Waiting::kNothing, {});
      if (waiting_ != Waiting::kHead) Wait(Waiting::kHead, options_.header_timeout);
      return;
    }
    case Phase::kRunning:
      if (request_.active() && request_.reads_body() && request_.needs_bytes()) {
        return Wait(Waiting::kBody, options_.body_timeout);
      }
      return Wait(Waiting::kNothing, {});
    case Phase::kLingering:
    case Phase::kClosed:
      return;
  }
}

void ClientConnection::Wait(Waiting waiting, Duration delay) {
  waiting_ = waiting;
  if (waiting == Waiting::kNothing) {
    deadline_.Clear();
  } else {
    deadline_.Set(delay);
  }
}

void ClientConnection::OnDeadline() {
  const Waiting waited_for = std::exchange(waiting_, Waiting::kNothing);
  switch (waited_for) {
    case Waiting::kNothing:
      return;
    case Waiting::kRequest:
      return BeginLinger();
    case Waiting::kLingerEnd:
      return Close();
    case Waiting::kHead:
    case Waiting::kBody:
      break;
  }
  advancing_ = true;
  if (waited_for == Waiting::kHead) {
    BeginBadRequest(kHeaderTimeout);
  } else {
    FailBody(kBodyTimeout);
  }
  advancing_ = false;
  Advance();
}

void ClientConnection::OnStalled() {
  request_.OnClientGone();
  connection_->Abort();
  Close();
}

}  // namespace idem::http_server

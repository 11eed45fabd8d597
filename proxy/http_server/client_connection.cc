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

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr Duration kLingerTime = std::chrono::seconds(2);
constexpr std::size_t kLingerBytesMax = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kOutBytesKept = std::size_t{16} * 1024;

// Room for a whole head, or for what comes while a body is paused.
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
                                   ConnectionOwner& home)
    : home_(home),
      options_(options),
      peer_address_(std::move(peer_address)),
      peer_{.address = peer_address_, .tls = tls != nullptr, .tls_subject = {}},
      connection_(Accept(loop, socket, tls)),
      parser_(MakeParser()),
      deadline_(loop, [this] { OnDeadline(); }),
      write_deadline_(loop, [this] { OnWriteDeadline(); }) {
  Wait(Waiting::kRequest, options_.idle_timeout);
}

ClientConnection::~ClientConnection() { INVARIANT(!running_handler()); }

std::unique_ptr<event::Connection> ClientConnection::Accept(event::EventLoop& loop, int socket,
                                                            const event::TlsContext* tls) {
  const auto buffer = BufferOptions(options_);
  if (tls == nullptr) return event::Connection::Accepted(loop, socket, *this, buffer);
  return event::Connection::AcceptedTls(loop, socket, *tls, options_.header_timeout, *this, buffer);
}

std::unique_ptr<http::RequestParser> ClientConnection::MakeParser() {
  return std::make_unique<http::RequestParser>(options_.parser,
                                               static_cast<http::RequestEvents&>(*this));
}

// ---- Reading ------------------------------------------------------------------------------------

void ClientConnection::OnData() {
  if (!std::exchange(heard_, true)) peer_.tls_subject = connection_->peer_subject();
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
  Flush();
  Advance();
}

// Goes on as far as the bytes and the handler allow. Handlers call the stream from inside; what
// they set in motion there is seen by the next step.
void ClientConnection::Advance() {
  if (std::exchange(advancing_, true)) return;
  while (Step()) {
  }
  advancing_ = false;
  if (phase_ == Phase::kClosed) return;
  Flush();
  UpdateDeadline();
}

bool ClientConnection::Step() {
  if (phase_ == Phase::kReading) return ReadHead();
  if (phase_ == Phase::kRunning) return answered_ ? WindUpRequest() : RunRequest();
  return false;
}

http::RequestParser::Progress ClientConnection::Feed() {
  feeding_ = true;
  const auto progress = parser_->Feed(connection_->received());
  feeding_ = false;
  connection_->Consume(progress.consumed);
  return progress;
}

// A client that sends requests and reads no answers gets no further until it does.
bool ClientConnection::may_begin_request() const {
  return !broken_ && connection_->unsent_bytes() <= options_.unsent_bytes_max;
}

bool ClientConnection::ReadHead() {
  if (!may_begin_request()) return false;
  const auto progress = Feed();
  if (progress.error != nullptr) {
    BeginBadRequest(*progress.error);
    return true;
  }
  if (parser_->in_body()) {
    BeginRequest();
    return true;
  }
  if (progress.again) return true;
  if (end_seen_) BeginLinger();
  return false;
}

void ClientConnection::BeginResult() {
  phase_ = Phase::kRunning;
  waiting_ = Waiting::kNothing;  // the next head has a time of its own
  handler_ = nullptr;
  reading_body_ = false;
  request_ended_ = false;
  answered_ = false;
  const http::RequestHead& head = parser_->head();
  answer_.Begin(head.method, head.version);
}

void ClientConnection::BeginRequest() {
  BeginResult();
  http::RequestHead& head = parser_->head();
  request_body_ = head.body;
  request_bytes_left_ = head.body.bytes;
  expects_continue_ = head.expects_continue;
  close_ = !head.keep_alive;
  http::ServerHandler* handler = home_.service().OnRequest(*this, head);
  INVARIANT(handler != nullptr);
  handler_ = handler;
}

void ClientConnection::BeginBadRequest(const http::ParseError& error) {
  BeginResult();
  request_body_ = {};
  expects_continue_ = false;
  request_ended_ = true;  // nothing behind the fault is read
  close_ = true;
  http::ServerHandler* handler = home_.service().OnBadRequest(*this, parser_->head(), error);
  INVARIANT(handler != nullptr);
  handler_ = handler;
}

void ClientConnection::RefuseForOverload() {
  advancing_ = true;
  BeginBadRequest(kOverloaded);
  advancing_ = false;
  Advance();
}

// Gives the body to the handler, as it wants it.
bool ClientConnection::RunRequest() {
  if (!reading_body_ || request_ended_) return false;
  const auto progress = Feed();
  if (progress.error != nullptr) {
    if (running_handler()) FailBody(*progress.error);
    return true;
  }
  if (progress.again || request_ended_) return true;
  if (!end_seen_ || !running_handler()) return false;
  FailBody(kBodyCut);
  return true;
}

void ClientConnection::OnRequestBody(std::string_view bytes) {
  request_bytes_left_ -= std::min<std::uint64_t>(request_bytes_left_, bytes.size());
  if (running_handler()) handler_->OnBody(bytes);
}

void ClientConnection::OnRequestEnd() {
  request_ended_ = true;
  if (running_handler()) handler_->OnBodyEnd();
}

void ClientConnection::FailBody(const http::ParseError& error) {
  request_ended_ = true;
  close_ = true;
  handler_->OnBodyError(error);
}

// The handler is done. Calls nobody: End() does this too.
bool ClientConnection::WindUpRequest() {
  const bool drop_the_rest = !close_ && !request_ended_ && rest_of_request_is_here();
  if (drop_the_rest && Feed().error == nullptr) return true;
  if (close_ || !request_ended_ || home_.draining()) {
    BeginLinger();
    return false;
  }
  RenewParser();
  phase_ = Phase::kReading;
  return true;
}

// More bytes have to come before the body can go on.
bool ClientConnection::body_bytes_are_due() const {
  const bool has_none = request_body_.kind == http::BodyLength::Kind::kNone;
  const bool has_all =
      request_body_.kind == http::BodyLength::Kind::kKnown && request_bytes_left_ == 0;
  return !request_ended_ && !has_none && !has_all;
}

bool ClientConnection::rest_of_request_is_here() const {
  if (!body_bytes_are_due()) return true;
  return request_body_.kind == http::BodyLength::Kind::kKnown && !feeding_ &&
         request_bytes_left_ <= connection_->received().size();
}

// ---- Answering (http::ServerStream) -------------------------------------------------------------

void ClientConnection::ResumeBody() {
  INVARIANT(running_handler());
  reading_body_ = true;
  const bool client_waits = std::exchange(expects_continue_, false) && body_bytes_are_due() &&
                            connection_->received().empty() && !answer_.head_sent();
  if (client_waits) {
    out_.append(kContinue);
    Flush();
  }
  if (advancing_) return;
  if (end_seen_ || !body_bytes_are_due() || !connection_->received().empty()) {
    WantLaterTurn();
  } else {
    UpdateDeadline();
  }
}

void ClientConnection::SendInterim(const http::ResponseHead& head) {
  INVARIANT(running_handler());
  answer_.AppendInterim(head, out_);
  Flush();
}

void ClientConnection::SendHead(const http::ResponseHead& head) {
  INVARIANT(running_handler());
  const bool nothing_follows =
      end_seen_ && (feeding_ || connection_->received().size() <= request_bytes_left_);
  if (nothing_follows || home_.draining() || !rest_of_request_is_here()) close_ = true;
  answer_.AppendHead(head, !close_, out_);
  if (answer_.ends_with_connection()) close_ = true;
  if (!advancing_) WantLaterTurn();  // the body usually follows at once, and goes with it
}

void ClientConnection::SendBody(std::string_view bytes) {
  INVARIANT(running_handler());
  const std::size_t rendered = out_.size();
  const std::string_view as_it_is = answer_.AppendBody(bytes, out_);
  if (!as_it_is.empty() || out_.size() > rendered) Flush(as_it_is);
}

void ClientConnection::End() {
  INVARIANT(running_handler());
  answer_.AppendEnd(out_);
  Flush();
  answered_ = true;
  if (advancing_) return;
  while (phase_ == Phase::kRunning && WindUpRequest()) {
  }
  if (phase_ != Phase::kReading) return;
  if (end_seen_ || !connection_->received().empty()) {
    WantLaterTurn();
  } else {
    UpdateDeadline();
  }
}

void ClientConnection::Abort() {
  INVARIANT(running_handler());
  answered_ = true;
  connection_->Abort();
  Close();
}

std::size_t ClientConnection::unsent_bytes() const {
  return out_.size() + connection_->unsent_bytes();
}

// One system call for all that was rendered, and `body` behind it.
void ClientConnection::Flush(std::string_view body) {
  if (out_.empty() && body.empty()) return;
  written_bytes_ += out_.size() + body.size();
  if (!connection_->Write(out_, body)) broken_ = true;
  out_.clear();
  if (out_.capacity() > kOutBytesKept) std::string().swap(out_);
  BoundUnsent();
}

// What the kernel has not taken yet must not wait for ever: also what TLS has to say by itself.
void ClientConnection::BoundUnsent() {
  if (broken_ || connection_->unsent_bytes() == 0 || write_deadline_.running()) return;
  sent_bytes_seen_ = written_bytes_ - connection_->unsent_bytes();
  write_deadline_.Set(options_.write_timeout);
}

void ClientConnection::WantLaterTurn() {
  if (!std::exchange(later_turn_wanted, true)) home_.WantLaterTurn(*this);
}

// ---- Ending --------------------------------------------------------------------------------------

void ClientConnection::BeginLinger() {
  phase_ = Phase::kLingering;
  connection_->EndWriting();
  if (broken_) return;  // OnFailure comes
  BoundUnsent();
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
  write_deadline_.Clear();
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kLingering) return BeginLinger();
  if (running_handler()) handler_->OnDrained();
  Advance();
}

void ClientConnection::OnFailure(const Error& error) {
  if (phase_ == Phase::kClosed) return;
  // No request tells of it, and it may be a caller whose certificate was refused.
  if (peer_.tls && !heard_) {
    log::WriteLimited(log::Level::kInfo, "tls_failed", {{"reason", error.detail}});
  }
  TellClientGone();
  Close();
}

// Nobody waits for the answer of the request that runs, if one does.
void ClientConnection::TellClientGone() {
  if (!running_handler()) return;
  answered_ = true;
  handler_->OnClientGone();
}

void ClientConnection::Cut() {
  TellClientGone();
  connection_->Abort();
  phase_ = Phase::kClosed;
}

// The socket is closed on a later turn, with this object: a handler may still look at bytes that
// lie in its buffer.
void ClientConnection::Close() {
  phase_ = Phase::kClosed;
  deadline_.Clear();
  write_deadline_.Clear();
  home_.Retire(*this);
}

bool ClientConnection::CloseIfIdle() {
  const bool says_nothing = (peer_.tls && !heard_) || connection_->quiet();
  const bool is_idle = phase_ == Phase::kReading && waiting_ == Waiting::kRequest && says_nothing;
  if (is_idle) Close();
  return is_idle;
}

void ClientConnection::OnDrainBegin() {
  if (phase_ == Phase::kReading && parser_->at_message_start() && connection_->received().empty()) {
    BeginLinger();
  }
}

void ClientConnection::SetOptions(const Options& options) {
  options_ = options;
  parser_is_outdated_ = true;
  if (phase_ == Phase::kReading && parser_->at_message_start()) RenewParser();
}

void ClientConnection::RenewParser() {
  if (std::exchange(parser_is_outdated_, false)) {
    parser_ = MakeParser();
  } else {
    parser_->Reset();
  }
}

// ---- Waiting ------------------------------------------------------------------------------------

void ClientConnection::UpdateDeadline() {
  switch (phase_) {
    case Phase::kReading: {
      const bool between = parser_->at_message_start() && connection_->received().empty();
      if (between) {
        if (waiting_ != Waiting::kRequest) home_.BecameIdle(*this);
        return Wait(Waiting::kRequest, options_.idle_timeout);
      }
      BoundUnsent();
      if (!may_begin_request()) return Wait(Waiting::kNothing, {});
      if (waiting_ != Waiting::kHead) Wait(Waiting::kHead, options_.header_timeout);
      return;
    }
    case Phase::kRunning:
      if (running_handler() && reading_body_ && body_bytes_are_due()) {
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

// Progress is any byte that the kernel took.
void ClientConnection::OnWriteDeadline() {
  const std::uint64_t sent = written_bytes_ - connection_->unsent_bytes();
  if (std::exchange(sent_bytes_seen_, sent) < sent) {
    return write_deadline_.Set(options_.write_timeout);
  }
  TellClientGone();
  connection_->Abort();
  Close();
}

}  // namespace idem::http_server

// TLS over a plain connection. Bytes of its socket go through a TlsSession in memory, so that
// reading, writing, pausing and ending the socket are the plain connection's work.
#include <utility>

#include "proxy/event/connection.h"
#include "proxy/event/destruction_guard.h"
#include "proxy/event/read_buffer.h"
#include "proxy/event/tls.h"
#include "proxy/event/tls_session.h"

namespace idem::event {
namespace {

using Progress = TlsSession::Progress;

constexpr std::size_t kAnswerBytesMax = 64 * 1024;   // to key updates, in a connection's life
constexpr std::size_t kWritePieceBytes = 64 * 1024;  // encrypted at once; limits the memory
constexpr std::size_t kJoinedBytesKept = 16 * 1024;  // by an idle connection

// For encrypted bytes that arrive while the owner's buffer is full. The socket is not paused then,
// because a paused one would not report its failure.
constexpr Connection::Options kSocketOptions{.read_buffer_bytes = 16 * 1024,
                                             .read_buffer_max = 64 * 1024};

///   connecting ──▶ handshake ──▶ open ──▶ dead
class TlsConnection final : public Connection, ConnectionEvents {
 public:
  TlsConnection(EventLoop& loop, const TlsContext& context, ConnectionEvents& events,
                const Options& options);
  ~TlsConnection() override;

  void Accept(int socket, Duration timeout);
  void Connect(const SocketAddress& to, const std::string& server_name, Duration timeout);

  std::string_view received() const override { return buffer_.unread(); }
  void Consume(std::size_t bytes) override;
  bool Write(std::string_view a, std::string_view b) override;
  std::size_t unsent_bytes() const override { return socket_->unsent_bytes(); }
  void PauseReading() override;
  void ResumeReading() override;
  void EndWriting() override;
  void Abort() override;
  bool quiet() const override;
  const std::string& peer_address() const override { return socket_->peer_address(); }
  std::string_view peer_subject() const override { return peer_subject_; }

 private:
  enum class State { kConnecting, kHandshake, kOpen, kDead };

  // ConnectionEvents, of the socket
  void OnConnected() override;
  void OnData() override;
  void OnEnd() override;
  void OnDrained() override;
  void OnFailure(const Error& error) override;

  bool Shake();
  void TakeInput();
  void Decrypt();
  void OnNeedsInput();
  bool ReportData();
  bool Encrypt(std::string_view bytes);
  bool EncryptInPieces(std::string_view a, std::string_view b);
  bool Flush();
  std::string FailureReason() const;
  void Fail(ErrorCode code, std::string_view what);

  EventLoop& loop_;
  ConnectionEvents& events_;
  State state_ = State::kConnecting;
  bool client_ = false;
  bool paused_ = false;        // by the owner
  bool report_due_ = false;    // OnData() is due since reading was resumed
  bool held_back_ = false;     // decrypting stopped because buffer_ is full
  bool end_seen_ = false;      // the peer's close_notify
  bool socket_ended_ = false;  // the socket's FIN
  bool end_sent_ = false;      // our close_notify was written by OpenSSL
  bool sealed_ = false;        // our close_notify was given to the socket
  std::uint64_t pieces_sent_ = 0;
  std::size_t answer_bytes_ = 0;
  ReadBuffer buffer_;
  std::string joined_;  // joins two short pieces into one record
  std::string peer_subject_;
  TlsSession session_;
  Ticket handshake_deadline_;
  Ticket failure_;  // found inside a call of the owner, reported on a later turn
  DestructionGuard lifeline_;
  std::unique_ptr<Connection> socket_;
};

TlsConnection::TlsConnection(EventLoop& loop, const TlsContext& context, ConnectionEvents& events,
                             const Options& options)
    : loop_(loop),
      events_(events),
      buffer_(options.read_buffer_bytes, options.read_buffer_max),
      session_(context) {}

TlsConnection::~TlsConnection() {
  if (state_ != State::kOpen || end_sent_) return;
  session_.End();
  Flush();
}

void TlsConnection::Accept(int socket, Duration timeout) {
  state_ = State::kHandshake;
  session_.BeginAsServer();
  handshake_deadline_ = loop_.After(
      timeout, [this] { Fail(ErrorCode::kTimeout, "the TLS handshake took too long"); });
  socket_ = Connection::Accepted(loop_, socket, *this, kSocketOptions);
}

void TlsConnection::Connect(const SocketAddress& to, const std::string& server_name,
                            Duration timeout) {
  client_ = true;
  session_.BeginAsClient(server_name);
  handshake_deadline_ = loop_.After(
      timeout, [this] { Fail(ErrorCode::kTimeout, "connecting with TLS took too long"); });
  socket_ = Connection::Connect(loop_, to, timeout, *this, kSocketOptions);
}

void TlsConnection::OnConnected() {
  if (state_ == State::kDead) return;
  state_ = State::kHandshake;
  Shake();
}

/// Returns true if the handshake is done and this object was not destroyed.
bool TlsConnection::Shake() {
  TakeInput();
  const Progress progress = session_.Shake();
  Flush();  // the next message, or the alert
  if (progress == Progress::kNeedsInput && !socket_ended_) return false;
  if (progress != Progress::kDone) {
    Fail(ErrorCode::kUnavailable, "the TLS handshake failed: " + FailureReason());
    return false;
  }
  state_ = State::kOpen;
  handshake_deadline_.Withdraw();
  peer_subject_ = session_.peer_subject();
  if (!client_) return true;
  const DestructionGuard::Watch watch(lifeline_);
  events_.OnConnected();
  return !watch.destroyed();
}

void TlsConnection::TakeInput() {
  const std::string_view bytes = socket_->received();
  session_.AddInput(bytes);
  socket_->Consume(bytes.size());
}

void TlsConnection::OnData() {
  if (state_ == State::kDead) return;
  // Bytes behind a close_notify are ignored (RFC 8446, section 6.1).
  if (end_seen_) socket_->Consume(socket_->received().size());
  if (state_ == State::kHandshake && !Shake()) return;
  if (std::exchange(report_due_, false) && !ReportData()) return;
  Decrypt();
}

/// Decrypts record by record, as long as the owner takes them.
void TlsConnection::Decrypt() {
  while (state_ == State::kOpen && !paused_ && !end_seen_) {
    if (buffer_.full()) {
      held_back_ = true;  // the socket stops reading when its own buffer is full too
      return;
    }
    TakeInput();
    std::size_t bytes = 0;
    switch (session_.Decrypt(buffer_.Space(loop_.read_scratch()), bytes)) {
      case Progress::kDone:
        buffer_.Filled(bytes);
        if (!ReportData()) return;
        break;
      case Progress::kNeedsInput:
        return OnNeedsInput();
      case Progress::kEnded:
        end_seen_ = true;
        return events_.OnEnd();
      case Progress::kFailed: {
        const std::string reason = FailureReason();
        Flush();  // the alert
        return Fail(ErrorCode::kUnavailable, "TLS failed: " + reason);
      }
    }
  }
}

/// Returns false if the owner destroyed this object.
bool TlsConnection::ReportData() {
  const DestructionGuard::Watch watch(lifeline_);
  events_.OnData();
  if (watch.destroyed()) return false;
  buffer_.Settle();
  return true;
}

/// All that came was decrypted.
void TlsConnection::OnNeedsInput() {
  answer_bytes_ += session_.output().size();  // answers to key updates
  Flush();
  session_.FreeInput();
  if (answer_bytes_ > kAnswerBytesMax) {
    return Fail(ErrorCode::kRefused, "the peer asks for too many key updates");
  }
  if (socket_ended_) {
    Fail(ErrorCode::kUnavailable, "the connection was cut: it ended without a close_notify");
  }
}

void TlsConnection::OnEnd() {
  if (state_ == State::kDead) return;
  socket_ended_ = true;
  if (state_ == State::kHandshake && !Shake()) return;
  if (!end_seen_) Decrypt();
}

void TlsConnection::OnDrained() {
  if (state_ == State::kOpen) events_.OnDrained();
}

void TlsConnection::OnFailure(const Error& error) {
  if (state_ == State::kDead) return;
  const Error copy = error;  // the owner may destroy the socket, and `error` with it
  state_ = State::kDead;
  handshake_deadline_.Withdraw();
  events_.OnFailure(copy);
}

void TlsConnection::Consume(std::size_t bytes) {
  INVARIANT(bytes <= received().size());
  buffer_.Consume(bytes);
  if (held_back_ && !buffer_.full() && !paused_) {
    held_back_ = false;
    socket_->PauseReading();
    socket_->ResumeReading();  // its OnData() follows on a later turn
  }
}

bool TlsConnection::Write(std::string_view a, std::string_view b) {
  if (state_ != State::kOpen || failure_.open()) return false;
  INVARIANT(!end_sent_);
  if (b.empty() || a.size() + b.size() > kWritePieceBytes) return EncryptInPieces(a, b);
  joined_.assign(a).append(b);
  const bool taken = Encrypt(joined_);
  joined_.clear();
  if (joined_.capacity() > kJoinedBytesKept) std::string().swap(joined_);
  return taken;
}

/// Returns true if a piece was sent, because the peer may have read it; OnFailure() then reports
/// the failure of a later one.
bool TlsConnection::EncryptInPieces(std::string_view a, std::string_view b) {
  const std::uint64_t before = pieces_sent_;
  const bool all = Encrypt(a) && Encrypt(b);
  return all || pieces_sent_ > before;
}

bool TlsConnection::Encrypt(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kWritePieceBytes);
    if (!session_.Encrypt(piece)) {
      failure_ = loop_.After(Duration::zero(), [this, reason = FailureReason()] {
        Fail(ErrorCode::kUnavailable, "TLS failed: " + reason);
      });
      return false;
    }
    if (!Flush()) return false;
    ++pieces_sent_;
    bytes.remove_prefix(piece.size());
  }
  session_.FreeOutput();
  return true;
}

/// Gives the session's output to the socket, and returns false if that is dead. Behind our
/// close_notify OpenSSL still answers key updates; these answers must not be sent.
bool TlsConnection::Flush() {
  const std::string_view bytes = session_.output();
  if (bytes.empty()) return true;
  const bool alive = sealed_ || socket_->Write(bytes);
  session_.DropOutput();
  return alive;
}

void TlsConnection::PauseReading() {
  paused_ = true;
  socket_->PauseReading();
}

void TlsConnection::ResumeReading() {
  if (!std::exchange(paused_, false)) return;
  held_back_ = false;
  report_due_ = true;
  socket_->ResumeReading();  // its OnData() follows, and calls ours
}

void TlsConnection::EndWriting() {
  if (state_ != State::kOpen || std::exchange(end_sent_, true)) return;
  session_.End();
  Flush();
  sealed_ = true;
  socket_->EndWriting();
}

void TlsConnection::Abort() {
  state_ = State::kDead;
  handshake_deadline_.Withdraw();
  failure_.Withdraw();
  socket_->Abort();
}

bool TlsConnection::quiet() const {
  return state_ == State::kOpen && !end_seen_ && received().empty() && session_.all_read() &&
         socket_->quiet();
}

std::string TlsConnection::FailureReason() const {
  const std::string reason = session_.FailureReason();
  if (!reason.empty()) return reason;
  return socket_ended_ ? "the peer closed the connection" : "unknown error";
}

void TlsConnection::Fail(ErrorCode code, std::string_view what) {
  const Error error{.code = code, .detail = peer_address() + ": " + std::string(what)};
  state_ = State::kDead;
  handshake_deadline_.Withdraw();
  socket_->PauseReading();
  events_.OnFailure(error);
}

}  // namespace

std::unique_ptr<Connection> Connection::AcceptedTls(EventLoop& loop, int socket,
                                                    const TlsContext& context, Duration timeout,
                                                    ConnectionEvents& events,
                                                    const Options& options) {
  auto connection = std::make_unique<TlsConnection>(loop, context, events, options);
  connection->Accept(socket, timeout);
  return connection;
}

std::unique_ptr<Connection> Connection::ConnectTls(EventLoop& loop, const SocketAddress& to,
                                                   const TlsContext& context,
                                                   const std::string& server_name, Duration timeout,
                                                   ConnectionEvents& events,
                                                   const Options& options) {
  auto connection = std::make_unique<TlsConnection>(loop, context, events, options);
  connection->Connect(to, server_name, timeout);
  return connection;
}

}  // namespace idem::event

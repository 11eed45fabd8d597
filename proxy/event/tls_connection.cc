// TLS over a plain connection: bytes from its socket go through OpenSSL in memory, so that reading,
// writing, pausing and dying are the plain connection's.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <utility>

#include "proxy/event/connection.h"
#include "proxy/event/destruction_guard.h"
#include "proxy/event/read_buffer.h"
#include "proxy/event/tls.h"

namespace idem::event {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 * 1024;   // to key updates, in a connection's life
constexpr std::size_t kWritePieceBytes = 64 * 1024;  // encrypted at once; the memory that costs
constexpr std::size_t kKeptBytes = 16 * 1024;        // of that, by a connection that is idle

// Of what came while the owner's own buffer was full. A pause would keep the socket from telling
// that it is dead.
constexpr Connection::Options kSocketOptions{.read_buffer_bytes = 16 * 1024,
                                             .read_buffer_max = 64 * 1024};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// An empty memory BIO keeps all that its largest content has taken.
bool KeepsMuch(BIO* bio) {
  BUF_MEM* memory = nullptr;
  BIO_get_mem_ptr(bio, &memory);
  return memory->max > kKeptBytes;
}

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

  void Expect(const std::string& server_name);
  bool Shake();
  void TakeInput();
  void Decrypt();
  void OnNothingToRead(int ssl_error);
  void GiveBackInput();
  void GiveBackOutput();
  bool Tell();
  bool Encrypt(std::string_view bytes);
  bool EncryptInPieces(std::string_view a, std::string_view b);
  bool Flush();
  void ReadSubject();
  std::string Reason() const;
  void Fail(ErrorCode code, std::string_view what);

  EventLoop& loop_;
  ConnectionEvents& events_;
  State state_ = State::kConnecting;
  bool client_ = false;
  bool paused_ = false;        // by the owner
  bool tell_again_ = false;    // OnData is owed since reading was resumed
  bool held_back_ = false;     // nothing is decrypted because buffer_ is full
  bool end_seen_ = false;      // the peer's close_notify
  bool socket_ended_ = false;  // the socket's FIN
  bool end_sent_ = false;      // our close_notify
  bool sealed_ = false;        // and it has gone to the socket
  std::uint64_t pieces_sent_ = 0;
  std::size_t answer_bytes_ = 0;
  ReadBuffer buffer_;
  std::string joined_;  // short pieces become one record
  std::string peer_subject_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* in_;   // both owned by ssl_
  BIO* out_;  //
  Ticket handshake_deadline_;
  Ticket failure_;  // found inside a call of the owner's, told on a later turn
  DestructionGuard lifeline_;
  std::unique_ptr<Connection> socket_;
};

TlsConnection::TlsConnection(EventLoop& loop, const TlsContext& context, ConnectionEvents& events,
                             const Options& options)
    : loop_(loop),
      events_(events),
      buffer_(options.read_buffer_bytes, options.read_buffer_max),
      ssl_(SSL_new(context.get())),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  INVARIANT(ssl_ != nullptr && in_ != nullptr && out_ != nullptr);
  SSL_set_bio(ssl_.get(), in_, out_);
}

TlsConnection::~TlsConnection() {
  if (state_ != State::kOpen || end_sent_) return;
  SSL_shutdown(ssl_.get());
  Flush();
}

void TlsConnection::Accept(int socket, Duration timeout) {
  state_ = State::kHandshake;
  SSL_set_accept_state(ssl_.get());
  handshake_deadline_ = loop_.After(
      timeout, [this] { Fail(ErrorCode::kTimeout, "the TLS handshake took too long"); });
  socket_ = Connection::Accepted(loop_, socket, *this, kSocketOptions);
}

void TlsConnection::Connect(const SocketAddress& to, const std::string& server_name,
                            Duration timeout) {
  client_ = true;
  SSL_set_connect_state(ssl_.get());
  Expect(server_name);
  handshake_deadline_ = loop_.After(
      timeout, [this] { Fail(ErrorCode::kTimeout, "connecting with TLS took too long"); });
  socket_ = Connection::Connect(loop_, to, timeout, *this, kSocketOptions);
}

/// What the server's certificate must be for; a name also goes out as SNI (RFC 6066, section 3, has
/// none for addresses).
void TlsConnection::Expect(const std::string& server_name) {
  if (server_name.empty()) return;
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), server_name.c_str()) == 1) return;
  std::string name = server_name;
  if (name.ends_with('.')) name.pop_back();  // for resolvers alone: no certificate has it, nor SNI
  INVARIANT(SSL_set1_host(ssl_.get(), name.c_str()) == 1);
  SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
}

void TlsConnection::OnConnected() {
  if (state_ == State::kDead) return;
  state_ = State::kHandshake;
  Shake();
}

/// True when the handshake is done and this still lives.
bool TlsConnection::Shake() {
  TakeInput();
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  const int error = SSL_get_error(ssl_.get(), result);
  Flush();  // its next message, or the alert that says why not
  if (result != 1 && error == SSL_ERROR_WANT_READ && !socket_ended_) return false;
  if (result != 1) {
    Fail(ErrorCode::kUnavailable, "the TLS handshake failed: " + Reason());
    return false;
  }
  state_ = State::kOpen;
  handshake_deadline_.Withdraw();
  ReadSubject();
  if (!client_) return true;
  const DestructionGuard::Watch watch(lifeline_);
  events_.OnConnected();
  return !watch.destroyed();
}

void TlsConnection::ReadSubject() {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return;
  BIO* text = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text, &bytes);
  peer_subject_.assign(bytes, static_cast<std::size_t>(size));
  BIO_free(text);
}

void TlsConnection::TakeInput() {
  const std::string_view bytes = socket_->received();
  if (!bytes.empty()) BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  socket_->Consume(bytes.size());
}

void TlsConnection::OnData() {
  if (state_ == State::kDead) return;
  // What comes behind a close_notify means nothing (RFC 8446, section 6.1), and nobody reads it.
  if (end_seen_) socket_->Consume(socket_->received().size());
  if (state_ == State::kHandshake && !Shake()) return;
  if (std::exchange(tell_again_, false) && !Tell()) return;
  Decrypt();
}

/// Record by record, as long as the owner takes them.
void TlsConnection::Decrypt() {
  while (state_ == State::kOpen && !paused_ && !end_seen_) {
    if (buffer_.full()) {
      held_back_ = true;  // the socket stops by itself when its buffer is full too
      return;
    }
    TakeInput();
    const auto space = buffer_.Space(loop_.read_scratch());
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), space.data(), static_cast<int>(space.size()));
    if (got <= 0) return OnNothingToRead(SSL_get_error(ssl_.get(), got));
    buffer_.Filled(static_cast<std::size_t>(got));
    if (!Tell()) return;
  }
}

/// False when the owner destroyed this.
bool TlsConnection::Tell() {
  const DestructionGuard::Watch watch(lifeline_);
  events_.OnData();
  if (watch.destroyed()) return false;
  buffer_.Settle();
  return true;
}

void TlsConnection::OnNothingToRead(int ssl_error) {
  if (ssl_error == SSL_ERROR_ZERO_RETURN) {
    end_seen_ = true;
    return events_.OnEnd();
  }
  if (ssl_error != SSL_ERROR_WANT_READ) {
    const std::string reason = Reason();
    Flush();  // the alert
    return Fail(ErrorCode::kUnavailable, "TLS failed: " + reason);
  }
  answer_bytes_ += static_cast<std::size_t>(BIO_pending(out_));  // to key updates
  Flush();
  GiveBackInput();
  if (answer_bytes_ > kAnswerBytesMax) {
    return Fail(ErrorCode::kRefused, "the peer asks for too many key updates");
  }
  if (socket_ended_) {
    Fail(ErrorCode::kUnavailable, "the connection was cut: it ended without a close_notify");
  }
}

/// An idle connection needs nothing of what a long message took.
void TlsConnection::GiveBackInput() {
  if (BIO_pending(in_) > 0 || !KeepsMuch(in_)) return;
  in_ = BIO_new(BIO_s_mem());
  SSL_set0_rbio(ssl_.get(), in_);
}

void TlsConnection::GiveBackOutput() {
  if (BIO_pending(out_) > 0 || !KeepsMuch(out_)) return;
  out_ = BIO_new(BIO_s_mem());
  SSL_set0_wbio(ssl_.get(), out_);
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
  const Error told = error;
  state_ = State::kDead;
  handshake_deadline_.Withdraw();
  events_.OnFailure(told);
}

void TlsConnection::Consume(std::size_t bytes) {
  INVARIANT(bytes <= received().size());
  buffer_.Consume(bytes);
  if (held_back_ && !buffer_.full() && !paused_) {
    held_back_ = false;
    socket_->PauseReading();
    socket_->ResumeReading();  // its OnData comes on a later turn
  }
}

bool TlsConnection::Write(std::string_view a, std::string_view b) {
  if (state_ != State::kOpen || failure_.open()) return false;
  INVARIANT(!end_sent_);
  if (b.empty() || a.size() + b.size() > kWritePieceBytes) return EncryptInPieces(a, b);
  joined_.assign(a).append(b);
  const bool taken = Encrypt(joined_);
  joined_.clear();
  if (joined_.capacity() > kKeptBytes) std::string().swap(joined_);
  return taken;
}

/// What fails behind the first piece is told by OnFailure: the peer may have read that piece.
bool TlsConnection::EncryptInPieces(std::string_view a, std::string_view b) {
  const std::uint64_t before = pieces_sent_;
  const bool all = Encrypt(a) && Encrypt(b);
  return all || pieces_sent_ > before;
}

bool TlsConnection::Encrypt(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kWritePieceBytes);
    ERR_clear_error();
    if (SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size())) <= 0) {
      failure_ = loop_.After(Duration::zero(), [this, why = Reason()] {
        Fail(ErrorCode::kUnavailable, "TLS failed: " + why);
      });
      return false;
    }
    if (!Flush()) return false;
    ++pieces_sent_;
    bytes.remove_prefix(piece.size());
  }
  GiveBackOutput();
  return true;
}

/// What OpenSSL wants to send goes to the socket; false where that is dead. Behind our close_notify
/// OpenSSL still answers key updates, and nothing more may go out.
bool TlsConnection::Flush() {
  if (sealed_) return BIO_reset(out_), true;
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out_, &bytes);
  if (size <= 0) return true;
  const bool alive = socket_->Write({bytes, static_cast<std::size_t>(size)});
  BIO_reset(out_);
  return alive;
}

void TlsConnection::PauseReading() {
  paused_ = true;
  socket_->PauseReading();
}

void TlsConnection::ResumeReading() {
  if (!std::exchange(paused_, false)) return;
  held_back_ = false;
  tell_again_ = true;
  socket_->ResumeReading();  // its OnData comes, and with it ours
}

void TlsConnection::EndWriting() {
  if (state_ != State::kOpen || std::exchange(end_sent_, true)) return;
  SSL_shutdown(ssl_.get());
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
  return state_ == State::kOpen && !end_seen_ && received().empty() && BIO_pending(in_) == 0 &&
         SSL_pending(ssl_.get()) == 0 && socket_->quiet();
}

/// Why OpenSSL stopped: the certificate first, since that is what an operator can put right.
std::string TlsConnection::Reason() const {
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) {
    return std::string("certificate: ") + X509_verify_cert_error_string(verified);
  }
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  if (reason != nullptr) return reason;
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

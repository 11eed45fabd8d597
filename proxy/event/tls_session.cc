#include "proxy/event/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "proxy/base/invariant.h"

namespace idem::event {
namespace {

constexpr std::size_t kKeptBytes = 16 * 1024;  // in each direction, by an idle connection

/// An empty memory BIO keeps the memory of its largest content.
bool KeepsMuch(BIO* bio) {
  BUF_MEM* memory = nullptr;
  BIO_get_mem_ptr(bio, &memory);
  return memory->max > kKeptBytes;
}

}  // namespace

void TlsSession::Free::operator()(SSL* ssl) const { SSL_free(ssl); }

TlsSession::TlsSession(const TlsContext& context)
    : ssl_(SSL_new(context.get())), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  INVARIANT(ssl_ != nullptr && in_ != nullptr && out_ != nullptr);
  SSL_set_bio(ssl_.get(), in_, out_);
}

void TlsSession::BeginAsServer() { SSL_set_accept_state(ssl_.get()); }

/// A name is also sent as SNI; RFC 6066, section 3, has none for addresses.
void TlsSession::BeginAsClient(const std::string& server_name) {
  SSL_set_connect_state(ssl_.get());
  if (server_name.empty()) return;
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), server_name.c_str()) == 1) return;
  std::string name = server_name;
  if (name.ends_with('.')) name.pop_back();  // only resolvers use it: certificates and SNI do not
  INVARIANT(SSL_set1_host(ssl_.get(), name.c_str()) == 1);
  SSL_set_tlsext_host_name(ssl_.get(), name.c_str());
}

void TlsSession::AddInput(std::string_view bytes) {
  if (!bytes.empty()) BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
}

TlsSession::Progress TlsSession::Shake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return Progress::kDone;
  const bool reads = SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ;
  return reads ? Progress::kNeedsInput : Progress::kFailed;
}

TlsSession::Progress TlsSession::Decrypt(std::span<char> space, std::size_t& bytes) {
  ERR_clear_error();
  const int got = SSL_read(ssl_.get(), space.data(), static_cast<int>(space.size()));
  if (got > 0) {
    bytes = static_cast<std::size_t>(got);
    return Progress::kDone;
  }
  switch (SSL_get_error(ssl_.get(), got)) {
    case SSL_ERROR_ZERO_RETURN:
      return Progress::kEnded;
    case SSL_ERROR_WANT_READ:
      return Progress::kNeedsInput;
    default:
      return Progress::kFailed;
  }
}

bool TlsSession::Encrypt(std::string_view bytes) {
  ERR_clear_error();
  return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

void TlsSession::End() { SSL_shutdown(ssl_.get()); }

std::string_view TlsSession::output() const {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out_, &bytes);
  return size > 0 ? std::string_view(bytes, static_cast<std::size_t>(size)) : std::string_view();
}

void TlsSession::DropOutput() { BIO_reset(out_); }

void TlsSession::FreeInput() {
  if (BIO_pending(in_) > 0 || !KeepsMuch(in_)) return;
  in_ = BIO_new(BIO_s_mem());
  SSL_set0_rbio(ssl_.get(), in_);
}

void TlsSession::FreeOutput() {
  if (BIO_pending(out_) > 0 || !KeepsMuch(out_)) return;
  out_ = BIO_new(BIO_s_mem());
  SSL_set0_wbio(ssl_.get(), out_);
}

bool TlsSession::all_read() const { return BIO_pending(in_) == 0 && SSL_pending(ssl_.get()) == 0; }

std::string TlsSession::peer_subject() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return {};
  BIO* text = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text, &bytes);
  std::string subject(bytes, static_cast<std::size_t>(size));
  BIO_free(text);
  return subject;
}

std::string TlsSession::FailureReason() const {
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK && SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE) {
    return std::string("certificate: ") + X509_verify_cert_error_string(verified);
  }
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "";
}

}  // namespace idem::event

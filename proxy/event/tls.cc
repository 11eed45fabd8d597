#include "proxy/event/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>
#include <system_error>

namespace idem::event {
namespace {

/// Returns OpenSSL's text for the oldest error of this thread, which caused the others.
std::string FirstError() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

Error FileError(std::string_view what, const std::string& path, std::string_view reason) {
  return {.code = ErrorCode::kInvalid,
          .detail = "cannot use " + std::string(what) + " '" + path + "': " + std::string(reason)};
}
Error FileError(std::string_view what, const std::string& path) {
  return FileError(what, path, FirstError());
}

// Forward secrecy and authenticated encryption (RFC 9325, section 4.2). All ciphers of TLS 1.3 have
// both.
constexpr char kCiphersOfTls12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

// Without this, OpenSSL would ask on the terminal.
int RefusePassphrase(char*, int, int, void* asked) noexcept {
  if (asked != nullptr) *static_cast<bool*>(asked) = true;
  return -1;
}

// A listener offers HTTP/1.1 only (RFC 7301). A client that offers only other protocols is refused;
// a client that offers none is accepted.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned offered_size, void*) noexcept {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int answer = SSL_select_next_proto(&found, chosen_size, kHttp11, sizeof kHttp11 - 1,
                                           offered, offered_size);
  *chosen = found;
  return answer == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// With TLS 1.3 each use of a ticket gives a new one, so a client could resume for ever after its
// certificate has expired. Without the ticket it must show the certificate again, which is refused.
SSL_TICKET_RETURN UseTicket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t,
                            SSL_TICKET_STATUS status, void*) noexcept {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  const X509* shown = SSL_SESSION_get0_peer(session);
  if (shown != nullptr && X509_cmp_current_time(X509_get0_notAfter(shown)) < 0) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

std::unique_ptr<TlsContext> TlsContext::New(bool server) {
  auto* raw = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  INVARIANT(raw != nullptr);
  std::unique_ptr<TlsContext> context(new TlsContext(raw));
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An authority that the operator lists is trusted, even if another authority has signed it.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(raw), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_default_passwd_cb(raw, RefusePassphrase);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);  // an idle connection holds no buffers
  return context;
}

Status TlsContext::LoadChain(const std::string& certificate, const std::string& key) const {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(get(), certificate.c_str()) != 1) {
    return FileError("the certificate", certificate);
  }
  bool asked = false;
  SSL_CTX_set_default_passwd_cb_userdata(get(), &asked);
  const bool loaded = SSL_CTX_use_PrivateKey_file(get(), key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(get(), nullptr);
  if (asked) return FileError("the private key", key, "it needs a passphrase");
  if (!loaded || SSL_CTX_check_private_key(get()) != 1) return FileError("the private key", key);
  return Ok();
}

std::string_view TlsContext::CertificateFault(WallTime now) const {
  const X509* certificate = SSL_CTX_get0_certificate(get());
  if (certificate == nullptr) return "";
  time_t at = std::chrono::system_clock::to_time_t(now);
  if (X509_cmp_time(X509_get0_notAfter(certificate), &at) < 0) return "has expired";
  if (X509_cmp_time(X509_get0_notBefore(certificate), &at) > 0) return "is not valid yet";
  return "";
}

Result<std::unique_ptr<TlsContext>> TlsContext::ForClient(const TlsClientOptions& options) {
  auto context = New(/*server=*/false);
  ERR_clear_error();
  if (options.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context->get());
  } else if (SSL_CTX_load_verify_locations(context->get(), options.ca.c_str(), nullptr) != 1) {
    return FileError("the authorities", options.ca);
  }
  if (!options.certificate.empty()) {
    auto loaded = context->LoadChain(options.certificate, options.key);
    if (!loaded) return std::move(loaded).error();
  }
  SSL_CTX_set_verify(context->get(), options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return context;
}

Result<std::unique_ptr<TlsContext>> TlsContext::ForServer(const TlsServerOptions& options) {
  auto context = New(/*server=*/true);
  auto loaded = context->LoadChain(options.certificate, options.key);
  if (!loaded) return std::move(loaded).error();
  INVARIANT(SSL_CTX_set_cipher_list(context->get(), kCiphersOfTls12) == 1);
  SSL_CTX_set_alpn_select_cb(context->get(), ChooseProtocol, nullptr);
  // Sessions resume by tickets only: the client keeps them, so they need no memory here, and
  // UseTicket() checks each.
  SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_OFF);
  // A session may resume only on listeners with the same requirements.
  const std::string id = options.client_ca.empty() ? "idemproxy" : "idemproxy with client_ca";
  SSL_CTX_set_session_id_context(context->get(), reinterpret_cast<const unsigned char*>(id.data()),
                                 static_cast<unsigned>(id.size()));
  if (options.client_ca.empty()) return context;
  if (SSL_CTX_load_verify_locations(context->get(), options.client_ca.c_str(), nullptr) != 1) {
    return FileError("the authorities of clients", options.client_ca);
  }
  SSL_CTX_set_client_CA_list(context->get(), SSL_load_client_CA_file(options.client_ca.c_str()));
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_ticket_cb(context->get(), nullptr, UseTicket, nullptr);
  return context;
}

}  // namespace idem::event

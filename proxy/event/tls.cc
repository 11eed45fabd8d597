#include "proxy/event/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>

namespace idem::event {
namespace {

/// The newest error of this thread in OpenSSL's words.
std::string LastError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

Error FileError(std::string_view what, const std::string& path) {
  return {.code = ErrorCode::kInvalid,
          .detail = "cannot use " + std::string(what) + " '" + path + "': " + LastError()};
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

std::unique_ptr<TlsContext> TlsContext::New(bool server) {
  auto* raw = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
  INVARIANT(raw != nullptr);
  std::unique_ptr<TlsContext> context(new TlsContext(raw));
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);  // an idle connection holds no buffers
  return context;
}

Status TlsContext::LoadChain(const std::string& certificate, const std::string& key) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(get(), certificate.c_str()) != 1) {
    return FileError("the certificate", certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(get()) != 1) {
    return FileError("the private key", key);
  }
  return Ok();
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
  // A session may be resumed where it would be accepted anew: on listeners with the same demands.
  const std::string id = options.client_ca.empty() ? "idemproxy" : "idemproxy with client_ca";
  SSL_CTX_set_session_id_context(context->get(), reinterpret_cast<const unsigned char*>(id.data()),
                                 static_cast<unsigned>(id.size()));
  if (options.client_ca.empty()) return context;
  if (SSL_CTX_load_verify_locations(context->get(), options.client_ca.c_str(), nullptr) != 1) {
    return FileError("the authorities of clients", options.client_ca);
  }
  SSL_CTX_set_client_CA_list(context->get(), SSL_load_client_CA_file(options.client_ca.c_str()));
  SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

}  // namespace idem::event

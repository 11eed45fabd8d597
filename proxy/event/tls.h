// Settings that TLS connections of one kind share: certificates, trusted authorities, versions.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

struct ssl_ctx_st;

namespace idem::event {

/// For connections to a backend or a store. The strings are paths of PEM files; "" means none.
struct TlsClientOptions {
  std::string ca;           // "" uses the system's authorities
  std::string certificate;  // our chain, for a server that asks for one
  std::string key;
  bool verify = true;  // false accepts any server; for tests only
};

/// For a listener.
struct TlsServerOptions {
  std::string certificate;  // the chain, the server's certificate first
  std::string key;
  std::string client_ca;  // authorities for the certificates of clients; "" requires no certificate
};

/// Requires TLS 1.2 or newer, without renegotiation and compression; a listener also requires
/// forward secrecy and authenticated encryption. A listed authority is trusted even if its own
/// issuer is not listed. All loops share a context, so that sessions resume on any of them. Running
/// connections keep what they need, so a reload may replace it. A key with a passphrase is an
/// error.
class TlsContext {
 public:
  /// Errors name the file and its fault.
  static Result<std::unique_ptr<TlsContext>> ForClient(const TlsClientOptions& options);
  static Result<std::unique_ptr<TlsContext>> ForServer(const TlsServerOptions& options);

  /// The fault of our certificate at `now`: "has expired" or "is not valid yet". "" if it is valid
  /// or there is none.
  [[nodiscard]] std::string_view CertificateFault(WallTime now) const;

  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  static std::unique_ptr<TlsContext> New(bool server);
  [[nodiscard]] Status LoadChain(const std::string& certificate, const std::string& key) const;

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace idem::event

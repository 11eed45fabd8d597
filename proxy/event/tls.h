// What TLS connections of one kind have in common: certificates, whom to believe, versions.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

struct ssl_ctx_st;

namespace idem::event {

/// Towards a backend or a store. Paths of PEM files; "" means none.
struct TlsClientOptions {
  std::string ca;           // "" takes the system's
  std::string certificate;  // our own chain, for a server that asks for one
  std::string key;
  bool verify = true;  // false: anybody may answer, for tests only
};

/// On a listener.
struct TlsServerOptions {
  std::string certificate;  // the chain, the server's own first
  std::string key;
  std::string client_ca;  // not "": a client must show a certificate signed by one of these
};

/// TLS 1.2 or newer, no renegotiation, no compression; on a listener forward secrecy and
/// authenticated encryption. An authority that is named is believed by itself, whether or not the
/// one that has signed it is named too. Shared by all loops (so that sessions resume
/// on any of them); connections that run keep what they need of it, so it may be replaced on a
/// reload. A key that asks for a passphrase is an error: there is nobody to type it.
class TlsContext {
 public:
  /// Errors name the file and say what is wrong with it.
  static Result<std::unique_ptr<TlsContext>> ForClient(const TlsClientOptions& options);
  static Result<std::unique_ptr<TlsContext>> ForServer(const TlsServerOptions& options);

  /// What is wrong with our own certificate at `now`: "has expired" or "is not valid yet"; "" where
  /// nothing is, or there is none.
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

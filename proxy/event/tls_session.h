// One TLS session in memory: OpenSSL without sockets. Private to event/.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxy/event/tls.h"

namespace idem::event {

/// Bytes of the socket go in with AddInput(), bytes for the socket come out with output().
class TlsSession {
 public:
  enum class Progress {
    kDone,
    kNeedsInput,
    kEnded,  // Decrypt() only: the peer's close_notify
    kFailed  // FailureReason() says why
  };

  /// `context` need not outlive the call.
  explicit TlsSession(const TlsContext& context);

  void BeginAsServer();
  /// The certificate must be for `server_name`, a name or an IP address ("": any).
  void BeginAsClient(const std::string& server_name);

  void AddInput(std::string_view bytes);
  /// Goes on with the handshake.
  [[nodiscard]] Progress Shake();
  /// Decrypts into `space`. With kDone, sets `bytes` to the size of the result.
  [[nodiscard]] Progress Decrypt(std::span<char> space, std::size_t& bytes);
  /// Returns false if OpenSSL failed.
  [[nodiscard]] bool Encrypt(std::string_view bytes);
  /// Adds our close_notify to the output.
  void End();

  /// Encrypted bytes that the socket must send. Valid until the next call of a member.
  [[nodiscard]] std::string_view output() const;
  void DropOutput();
  /// Free the memory that a long message needed, so that an idle connection holds none of it. They
  /// do nothing if bytes are left.
  void FreeInput();
  void FreeOutput();

  /// True if neither encrypted nor decrypted bytes are left to read.
  [[nodiscard]] bool all_read() const;
  /// The subject of the peer's certificate (RFC 2253); "" if it showed none.
  [[nodiscard]] std::string peer_subject() const;
  /// Why OpenSSL stopped; "" if it does not say. A fault of the certificate comes first, because an
  /// operator can correct it.
  [[nodiscard]] std::string FailureReason() const;

 private:
  struct Free {
    void operator()(SSL* ssl) const;
  };
  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_;   // owned by ssl_
  BIO* out_;  // owned by ssl_
};

}  // namespace idem::event

// Who is it? A request, the clients of the configuration and a route's wishes give an answer
// (semantics.md, "Signature"). Pure: no I/O, no clock but the one that is handed in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/auth/client_credentials.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace idem::auth {

enum class Scheme : std::uint8_t {
  kNone,                   // every request passes, without a client
  kHmacBody,               // hex HMAC-SHA256 of the raw body
  kHmacTimestamp,          // not implemented: the configuration refuses it
  kHttpMessageSignatures,  // RFC 9421; not implemented: the configuration refuses it
  kClientCertificate,      // whom the TLS listener's client_ca says it is
};

/// As it is written in the configuration and after WWW-Authenticate: "hmac-body".
[[nodiscard]] std::string_view SchemeName(Scheme scheme);

/// A route's `authenticate:`.
struct AuthenticateOptions {
  Scheme scheme = Scheme::kNone;
  std::string header = "X-Signature";
  std::vector<std::string> clients;  // ids of those who may use the route; empty: all
  /// Where hmac-body callers name themselves. Without it: the only client that may use the route,
  /// or else the one named `default`.
  std::string client_header = "X-Client-Id";
};

/// Whether `clients` leaves the route to that client.
[[nodiscard]] bool MayUse(const AuthenticateOptions& options, std::string_view client_id);

struct AuthenticatedClient {
  std::string_view client_id;  // of the entry in `clients`; "" with kNone
};
struct SignatureMissing {};
/// Also for a client that is unknown or may not use the route: a caller is not told which.
struct SignatureInvalid {};
struct SignatureExpired {};  // schemes with a timestamp only
using AuthenticateResult =
    std::variant<AuthenticatedClient, SignatureMissing, SignatureInvalid, SignatureExpired>;

/// `tls_subject` is that of the certificate which the caller's connection showed and a listener's
/// client_ca vouches for, or ""; `body` is the raw body as received. The result's view lives as
/// long as `clients`.
[[nodiscard]] AuthenticateResult Authenticate(const AuthenticateOptions& options,
                                              const Clients& clients, std::string_view tls_subject,
                                              const http::RequestHead& head, std::string_view body,
                                              WallTime now);

/// What a caller must send, for the `sign` command: the field lines that make `body` pass as
/// `client` (its first secret signs). An error says why not: no secret, a scheme that is not
/// implemented.
[[nodiscard]] Result<http::Fields> Sign(const AuthenticateOptions& options,
                                        const ClientOptions& client, std::string_view body,
                                        WallTime now);

}  // namespace idem::auth

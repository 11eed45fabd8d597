// Verifies who sent a request, and signs requests for the command `sign` (semantics.md,
// "Signature").
//
// Everything here is a pure function: no I/O, and the time is an argument. A scheme therefore
// cannot remember nonces or fetch keys. It sees one request, the clients of the configuration and
// the time.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/auth/client_credentials.h"
#include "proxy/auth/scheme.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/http/fields.h"

namespace idem::auth {

/// A route's `authenticate:`.
struct AuthenticateOptions {
  Scheme scheme = Scheme::kNone;
  std::string header = "X-Signature";
  std::vector<std::string> clients;  // ids of the clients that may use the route; empty: all
  /// The field in which hmac-body callers name themselves. A request without it comes from the only
  /// client that may use the route, or otherwise from the client named `default`.
  std::string client_header = "X-Client-Id";

  bool operator==(const AuthenticateOptions&) const = default;
};

/// Returns true if `clients` of the route admits that client.
[[nodiscard]] bool MayUse(const AuthenticateOptions& options, std::string_view client_id);

/// Everything that a signature may cover. Consists of views, for the length of one call.
struct SignedRequest {
  std::string_view method;
  std::string_view target;           // origin form: path and query
  const http::Fields& fields;        // the idempotency key's field included
  std::string_view key_header = {};  // name of the key's field; empty if the route has no keys
  std::string_view body = {};        // raw, as received
  /// Subject of the certificate that the connection showed and the listener's client_ca verified;
  /// empty if there is none. Ignored by Sign().
  std::string_view tls_subject = {};
};

struct AuthenticatedClient {
  std::string client_id;  // empty with kNone
};
struct SignatureMissing {};
/// Stands also for a client that is unknown or may not use the route: a caller does not learn
/// which.
struct SignatureInvalid {};
struct SignatureExpired {};  // schemes with a timestamp only
using AuthenticateResult =
    std::variant<AuthenticatedClient, SignatureMissing, SignatureInvalid, SignatureExpired>;

/// Requires a scheme that is available.
[[nodiscard]] AuthenticateResult Authenticate(const AuthenticateOptions& options,
                                              const Clients& clients, const SignedRequest& request,
                                              WallTime now);

/// Returns the field lines that a caller must add to `request` so that it passes as `client`. The
/// client's first secret signs. An error says why that is impossible, for example that the client
/// has no secret.
[[nodiscard]] Result<http::Fields> Sign(const AuthenticateOptions& options,
                                        const ClientOptions& client, const SignedRequest& request,
                                        WallTime now);

}  // namespace idem::auth

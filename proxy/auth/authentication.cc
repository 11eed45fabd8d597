#include "proxy/auth/authentication.h"

#include <algorithm>

#include "proxy/auth/hmac_body.h"
#include "proxy/base/invariant.h"

namespace idem::auth {

namespace {

AuthenticateResult AuthenticateCertificate(const AuthenticateOptions& options,
                                           const Clients& clients, std::string_view subject) {
  if (subject.empty()) return SignatureMissing{};
  for (const ClientOptions& client : clients) {
    if (client.certificate_subject != subject) continue;
    if (!MayUse(options, client.id)) break;
    return AuthenticatedClient{client.id};
  }
  return SignatureInvalid{};
}

}  // namespace

bool MayUse(const AuthenticateOptions& options, std::string_view client_id) {
  return options.clients.empty() ||
         std::ranges::find(options.clients, client_id) != options.clients.end();
}

AuthenticateResult Authenticate(const AuthenticateOptions& options, const Clients& clients,
                                const SignedRequest& request, WallTime) {
  switch (options.scheme) {
    case Scheme::kNone:
      return AuthenticatedClient{};
    case Scheme::kHmacBody:
      return AuthenticateHmacBody(options, clients, request);
    case Scheme::kClientCertificate:
      return AuthenticateCertificate(options, clients, request.tls_subject);
    case Scheme::kHmacTimestamp:
    case Scheme::kHttpMessageSignatures:
      break;
  }
  FailInvariant("a scheme that the configuration accepts", __FILE__, __LINE__);
}

Result<http::Fields> Sign(const AuthenticateOptions& options, const ClientOptions& client,
                          const SignedRequest& request, WallTime) {
  switch (options.scheme) {
    case Scheme::kNone:
      return http::Fields();
    case Scheme::kHmacBody:
      return SignHmacBody(options, client, request);
    case Scheme::kClientCertificate:
      return Error{ErrorCode::kInvalid,
                   "the scheme client-certificate signs nothing: the caller shows its certificate "
                   "to the listener instead"};
    case Scheme::kHmacTimestamp:
    case Scheme::kHttpMessageSignatures:
      break;
  }
  return Error{ErrorCode::kInvalid, "the scheme " + std::string(SchemeName(options.scheme)) +
                                        " is not available in this version"};
}

}  // namespace idem::auth

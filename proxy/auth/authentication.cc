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

std::string_view SchemeName(Scheme scheme) {
  switch (scheme) {
    case Scheme::kNone:
      return "none";
    case Scheme::kHmacBody:
      return "hmac-body";
    case Scheme::kHmacTimestamp:
      return "hmac-timestamp";
    case Scheme::kHttpMessageSignatures:
      return "http-message-signatures";
    case Scheme::kClientCertificate:
      return "client-certificate";
  }
  FailInvariant("a scheme that exists", __FILE__, __LINE__);
}

AuthenticateResult Authenticate(const AuthenticateOptions& options, const Clients& clients,
                                std::string_view tls_subject, const http::RequestHead& head,
                                std::string_view body, WallTime) {
  switch (options.scheme) {
    case Scheme::kNone:
      return AuthenticatedClient{};
    case Scheme::kHmacBody:
      return AuthenticateHmacBody(options, clients, head, body);
    case Scheme::kClientCertificate:
      return AuthenticateCertificate(options, clients, tls_subject);
    case Scheme::kHmacTimestamp:
    case Scheme::kHttpMessageSignatures:
      break;
  }
  FailInvariant("a scheme that the configuration refuses", __FILE__, __LINE__);
}

Result<http::Fields> Sign(const AuthenticateOptions& options, const ClientOptions& client,
                          std::string_view body, WallTime) {
  switch (options.scheme) {
    case Scheme::kNone:
      return http::Fields();
    case Scheme::kHmacBody:
      return SignHmacBody(options, client, body);
    case Scheme::kClientCertificate:
      return Error{ErrorCode::kInvalid,
                   "the scheme client-certificate signs nothing: show the certificate to the "
                   "listener instead"};
    case Scheme::kHmacTimestamp:
    case Scheme::kHttpMessageSignatures:
      break;
  }
  return Error{ErrorCode::kInvalid,
               "the scheme " + std::string(SchemeName(options.scheme)) + " is not implemented"};
}

}  // namespace idem::auth

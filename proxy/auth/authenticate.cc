#include "proxy/auth/authenticate.h"

#include "proxy/auth/hmac_body.h"
#include "proxy/base/invariant.h"

namespace idem::auth {

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
  }
  FailInvariant("a scheme that exists", __FILE__, __LINE__);
}

AuthenticateResult Authenticate(const AuthenticateOptions& options, const Clients& clients,
                                const http::RequestHead& head, std::string_view body, WallTime) {
  switch (options.scheme) {
    case Scheme::kNone:
      return Authenticated{};
    case Scheme::kHmacBody:
      return AuthenticateHmacBody(options, clients, head, body);
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
    case Scheme::kHmacTimestamp:
    case Scheme::kHttpMessageSignatures:
      break;
  }
  return Error{ErrorCode::kInvalid,
               "the scheme " + std::string(SchemeName(options.scheme)) + " is not implemented"};
}

}  // namespace idem::auth

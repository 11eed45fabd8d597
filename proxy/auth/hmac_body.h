// The scheme `hmac-body`: the field holds the hex HMAC-SHA256 (RFC 2104) of the raw body under the
// client's secret. It covers neither the key, the path nor the client's name.
#pragma once

#include "proxy/auth/authentication.h"

namespace idem::auth {

[[nodiscard]] AuthenticateResult AuthenticateHmacBody(const AuthenticateOptions& options,
                                                      const Clients& clients,
                                                      const SignedRequest& request);

[[nodiscard]] Result<http::Fields> SignHmacBody(const AuthenticateOptions& options,
                                                const ClientOptions& client,
                                                const SignedRequest& request);

}  // namespace idem::auth

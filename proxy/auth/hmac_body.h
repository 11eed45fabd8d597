// The scheme `hmac-body`: the field holds the hex HMAC-SHA256 (RFC 2104) of the raw body under the
// client's secret. It covers neither key, path nor client name.
#pragma once

#include "proxy/auth/authentication.h"

namespace idem::auth {

[[nodiscard]] AuthenticateResult AuthenticateHmacBody(const AuthenticateOptions& options,
                                                      const Clients& clients,
                                                      const http::RequestHead& head,
                                                      std::string_view body);

[[nodiscard]] Result<http::Fields> SignHmacBody(const AuthenticateOptions& options,
                                                const ClientOptions& client, std::string_view body);

}  // namespace idem::auth

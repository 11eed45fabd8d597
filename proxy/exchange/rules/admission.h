// Request checks that need no store: the first steps of semantics.md, "The order of checks". Pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "proxy/auth/client_credentials.h"
#include "proxy/base/clock.h"
#include "proxy/exchange/rules/problem_replies.h"
#include "proxy/exchange/rules/router.h"
#include "proxy/http/message.h"

namespace idem::exchange {

/// Returns the route of a request, or the reply that refuses it.
[[nodiscard]] std::variant<const Route*, Reply> ChooseRoute(const Router& router,
                                                            const http::RequestHead& request);

/// Returns whether the end of a refused request is in doubt. The bytes after a CONNECT may be meant
/// for the tunnel. If Connection names a framing field, another reader may take the following bytes
/// for the next request.
[[nodiscard]] bool EndIsInDoubt(const http::RequestHead& request);

/// Returns the id of the client that signed the request or showed a certificate for it, or the
/// reply that refuses it. The id is "" if the route needs no signature.
[[nodiscard]] std::variant<std::string, Reply> IdentifyClient(const Route& route,
                                                              const auth::Clients& clients,
                                                              std::string_view tls_subject,
                                                              const http::RequestHead& request,
                                                              std::string_view body, WallTime now);

}  // namespace idem::exchange

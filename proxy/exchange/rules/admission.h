// What is looked at of a request before anything is asked for it: the steps of semantics.md, "The
// order of checks", that need no store. Pure functions.
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

/// The route of a request, or why it is not served.
[[nodiscard]] std::variant<const Route*, Reply> ChooseRoute(const Router& router,
                                                            const http::RequestHead& request);

/// Whether a refused request leaves in doubt what the bytes behind it are: behind a CONNECT they
/// may be meant for the tunnel; where Connection names a framing field, for another reader's next
/// request.
[[nodiscard]] bool EndIsInDoubt(const http::RequestHead& request);

/// The policy of a route for that method; null where a key does not protect it.
[[nodiscard]] const idempotency::Policy* PolicyFor(const Route& route, std::string_view method);

/// Returns the id of the client that signed the request or showed a certificate for it, or the
/// refusal. The id is empty if the route does not authenticate.
[[nodiscard]] std::variant<std::string, Reply> IdentifyClient(const Route& route,
                                                              const auth::Clients& clients,
                                                              std::string_view tls_subject,
                                                              const http::RequestHead& request,
                                                              std::string_view body, WallTime now);

}  // namespace idem::exchange

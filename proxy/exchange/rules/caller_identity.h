// Who calls, and what the proxy calls the request: addresses, request ids, and the subject of a
// rate limit.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy/base/cidr.h"
#include "proxy/base/random.h"
#include "proxy/exchange/rules/router.h"
#include "proxy/http/message.h"
#include "proxy/ports/rate_limiter.h"

namespace idem::exchange {

[[nodiscard]] bool IsTrusted(std::string_view address, std::span<const Cidr> trusted);

/// The peer's address; behind trusted proxies, the last entry of X-Forwarded-For that is not
/// theirs.
[[nodiscard]] std::string_view ClientAddress(std::string_view peer, const http::Fields& fields,
                                             std::span<const Cidr> trusted);

/// The value of a field with all its lines, joined as RFC 9110, section 5.3, reads them: a backend
/// may go by another line than the first. "" where there is none.
[[nodiscard]] std::string WholeValue(const http::Fields& fields, std::string_view name);

/// The caller's X-Request-Id where it is 1 to 128 characters from A-Za-z0-9._- , else 32 random hex
/// digits.
[[nodiscard]] std::string ChooseRequestId(const http::Fields& fields, Random& random);

/// "ROUTE;address=192.0.2.1": who is counted. An IPv6 address counts by its /64.
[[nodiscard]] std::string LimitSubject(const Route& route, const RateLimitOptions& options,
                                       std::string_view address, std::string_view client,
                                       const http::Fields& fields);

/// What the rate limit of `route`, which has one, is asked for a request of that caller.
[[nodiscard]] ports::LimitRequest AskLimit(const Route& route, std::string_view address,
                                           std::string_view client, const http::Fields& fields,
                                           Random& random);

/// X-RateLimit-* and the IETF draft's RateLimit fields (draft-ietf-httpapi-ratelimit-headers).
void AddLimitFields(const ports::LimitRule& rule, const ports::LimitResult& verdict,
                    http::Fields& to);

}  // namespace idem::exchange

// The identity of a caller and of its request: addresses, request ids, and the subject of a rate
// limit.
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

/// Returns the peer's address. Behind trusted proxies, returns the last entry of X-Forwarded-For
/// that is not one of them.
[[nodiscard]] std::string_view ClientAddress(std::string_view peer, const http::Fields& fields,
                                             std::span<const Cidr> trusted);

/// Returns all lines of a field joined (RFC 9110, section 5.3), because the backend may read a line
/// other than the first. Empty if the field is absent.
[[nodiscard]] std::string WholeValue(const http::Fields& fields, std::string_view name);

/// Returns the caller's X-Request-Id if it is 1 to 128 characters from A-Za-z0-9._- and otherwise
/// 32 random hex digits.
[[nodiscard]] std::string ChooseRequestId(const http::Fields& fields, Random& random);

/// Returns the subject that is counted: "ROUTE;address=192.0.2.1". An IPv6 address counts by its
/// /64.
[[nodiscard]] std::string LimitSubject(const Route& route, const RateLimitOptions& options,
                                       std::string_view address, std::string_view client,
                                       const http::Fields& fields);

/// Returns the request to the rate limiter for a request of that caller. Requires a rate limit on
/// `route`.
[[nodiscard]] ports::LimitRequest AskLimit(const Route& route, std::string_view address,
                                           std::string_view client, const http::Fields& fields,
                                           Random& random);

/// Adds X-RateLimit-* and the RateLimit fields of the IETF draft
/// (draft-ietf-httpapi-ratelimit-headers).
void AddLimitFields(const ports::LimitRule& rule, const ports::LimitResult& result,
                    http::Fields& to);

}  // namespace idem::exchange

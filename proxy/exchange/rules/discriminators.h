// Fields that decide whose request it is: the headers of a scope, the header that a rate limit counts
// by, the header by which a caller names itself (semantics.md, "Scope").
#pragma once

#include <optional>
#include <string_view>

#include "proxy/exchange/rules/router.h"
#include "proxy/http/message.h"

namespace idem::exchange {

/// Returns the name of such a field that cannot be used; null if all can. It is missing or empty, so
/// that all callers without it would share one scope or one count; or it comes in another spelling
/// too (`X_Tenant` beside `X-Tenant`), which a backend may read instead.
[[nodiscard]] std::optional<std::string_view> UnusableDiscriminator(
    const Route& route, const http::RequestHead& request);

}  // namespace idem::exchange

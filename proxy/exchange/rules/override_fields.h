// Fields by which a caller asks a backend to read another method or another path than the request
// line has. Frameworks obey them by default (Rack::MethodOverride, Symfony, Spring's
// HiddenHttpMethodFilter; IIS for the path), so behind a proxy that judged the request line they are
// a way around a protected route (semantics.md, "Routes").
#pragma once

#include <optional>
#include <string_view>

#include "proxy/exchange/rules/router.h"
#include "proxy/http/message.h"

namespace idem::exchange {

/// Returns true if the field does not go to the upstream of `route`: it names a method or a path,
/// the backend has a protected route, and `override_fields` of the route does not allow it.
[[nodiscard]] bool IsDroppedOverride(const Route& route, std::string_view name);

/// Returns what asks for another method than the request line has, "X-HTTP-Method-Override" or
/// "_method" in the query; null if nothing does, or if the route may take it. Such a request is
/// refused, because the backend would do something else without the field.
[[nodiscard]] std::optional<std::string_view> MethodOverride(const Route& route,
                                                             const http::RequestHead& request);

}  // namespace idem::exchange

// Routes, and the choice of a route for a request (semantics.md, "The order of checks").
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/auth/authentication.h"
#include "proxy/exchange/rules/lenient_path.h"
#include "proxy/http/message.h"
#include "proxy/idempotency/policy.h"
#include "proxy/ports/rate_limiter.h"

namespace idem::exchange {

struct RateLimitOptions {
  enum class By : std::uint8_t { kAddress, kClient, kHeader };
  ports::LimitRule rule;
  By by = By::kAddress;
  std::string header;                // kHeader
  bool allow_on_store_error = true;  // on_store_error
};

/// One entry of `routes:`, with `defaults:` already applied.
struct Route {
  std::string name;                  // defaults to the path
  std::string path;                  // in normalised form
  bool prefix = false;               // `path_prefix`: /v1 matches /v1 and /v1/..., but not /v1x
  std::vector<std::string> methods;  // empty for all methods
  std::string host;                  // lower case, without port; "" for all hosts
  std::size_t upstream = 0;          // index into the configuration's upstreams
  std::size_t backend = 0;           // the same for routes whose upstreams share an address
  std::uint64_t max_body = 1024 * 1024;
  std::optional<auth::AuthenticateOptions> authenticate;
  std::optional<RateLimitOptions> rate_limit;
  std::optional<idempotency::Policy> idempotency;
  /// False is the owner's word that the backend takes no other spelling of a path to this route.
  bool strict_paths = true;
  /// Fields that name another method or path and that may go to the backend, in lower case.
  std::vector<std::string> override_fields;
  /// Set by the router: some route of the same backend is protected.
  bool backend_is_guarded = false;
};

/// Returns true if one of `methods` is `method`, in any case: `post` is another method than POST, but
/// not for every backend.
[[nodiscard]] bool NamesMethod(const std::vector<std::string>& methods, std::string_view method);

/// Returns the policy of a route for that method, or null if no key protects that method.
[[nodiscard]] const idempotency::Policy* PolicyFor(const Route& route, std::string_view method);

/// Returns true if `other`, a route to the same backend, is a way around `route` for a request with
/// that method: it asks for no key of that route, no signature or no place in a limit where `route`
/// does.
[[nodiscard]] bool IsWayAround(const Route& other, const Route& route, std::string_view method);

/// The routes of one configuration, in its order. Immutable and shared by the workers.
class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct NoRoute {};
  /// 400: the backend may read another path than this router did, and take the request to a route
  /// that is protected. The raw and the normalised path choose different routes; or a lenient
  /// reading of the path chooses a protected route of the same backend; or the path holds %2F, %5C
  /// or %00 and the backend has a protected route.
  struct AmbiguousPath {};
  struct MethodNotAllowed {
    std::string allow;  // "GET, POST"
  };
  using Match = std::variant<const Route*, NoRoute, AmbiguousPath, MethodNotAllowed>;
  /// Requires `target` in origin-form or "*". "*" takes the first route whose path is "*" or whose
  /// prefix is "/".
  [[nodiscard]] Match Find(std::string_view method, std::string_view host,
                           std::string_view target) const;

  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  [[nodiscard]] bool MayReachProtected(std::string_view method, std::string_view host,
                                       std::string_view path, const Route& chosen) const;
  [[nodiscard]] const Route* ChooseLeniently(std::string_view method, std::string_view host,
                                             std::string_view reading) const;

  std::vector<Route> routes_;
  std::vector<LenientRoutePath> lenient_paths_;  // one for each route
  bool protected_paths_have_one_reading_ = true;
};

/// The path of a target in its normal form (RFC 3986, section 6.2.2): unreserved characters decoded,
/// other escapes in upper case, dot segments removed and slashes merged.
struct NormalPath {
  std::string text;
  bool hides_slash = false;  // holds %2F, %5C or %00, which some backends decode and some do not
};
[[nodiscard]] NormalPath NormalisePath(std::string_view path);

}  // namespace idem::exchange

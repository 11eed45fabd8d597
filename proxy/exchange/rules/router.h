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
  std::uint64_t max_body = 1024 * 1024;
  std::optional<auth::AuthenticateOptions> authenticate;
  std::optional<RateLimitOptions> rate_limit;
  std::optional<idempotency::Policy> idempotency;
};

/// The routes of one configuration, in its order. Immutable and shared by the workers.
class Router {
 public:
  explicit Router(std::vector<Route> routes) : routes_(std::move(routes)) {}

  struct NoRoute {};
  /// Answered with 400: the target holds %2F, %5C or %00, or the raw and the normalised path would
  /// choose different routes.
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
  std::vector<Route> routes_;
};

/// Returns the path of a target with unreserved characters decoded, dot segments removed and
/// slashes merged (RFC 3986, section 6.2.2). Returns nullopt if it holds %2F, %5C or %00, because a
/// backend may decode them differently.
[[nodiscard]] std::optional<std::string> NormalisePath(std::string_view path);

}  // namespace idem::exchange

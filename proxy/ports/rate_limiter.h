// Rate limits. The stores implement them beside the records, so that replicas share the count.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/ticket.h"
#include "proxy/idempotency/token.h"

namespace idem::ports {

enum class LimitAlgorithm : std::uint8_t { kSlidingWindow, kTokenBucket };

/// At most `requests` accepted in any window of length `per`: an accepted request at t counts until
/// t + per, exclusive.
struct LimitRule {
  std::uint32_t requests = 0;  // kSlidingWindow: at most 10,000
  std::chrono::milliseconds per{};
  LimitAlgorithm algorithm = LimitAlgorithm::kSlidingWindow;
  std::uint32_t burst = 0;  // kTokenBucket
};

struct LimitRequest {
  std::string subject;  // of the count: "ROUTE;address=192.0.2.1", percent-encoded as scopes are
  idempotency::Token token;  // one token is counted once, however often the request is sent
  LimitRule rule;
};

struct LimitResult {
  bool allowed = true;
  std::uint32_t remaining = 0;        // after this request
  std::chrono::milliseconds reset{};  // until one more place is free; 0 if all are free
};

class RateLimiter {
 public:
  virtual ~RateLimiter() = default;
  using OnCounted = Function<void(Result<LimitResult>)>;

  /// A refused request does not count. An error means that the store could not be asked.
  [[nodiscard]] virtual Ticket Count(const LimitRequest& request, OnCounted on_counted) = 0;
};

}  // namespace idem::ports

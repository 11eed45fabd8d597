// How often a client may ask. Implemented by the stores, where the records lie, so that replicas
// share the count.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/ticket.h"
#include "proxy/idempotency/record.h"

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
  std::string subject;  // who is counted: "ROUTE;address=192.0.2.1", percent-encoded as scopes are
  idempotency::Token token;  // one token is counted once, however often it is asked
  LimitRule rule;
};

struct LimitResult {
  bool allowed = true;
  std::uint32_t remaining = 0;        // after this request
  std::chrono::milliseconds reset{};  // until one place more is free than now; 0 where all are free
};

class RateLimiter {
 public:
  virtual ~RateLimiter() = default;
  /// A refused request does not count. An error means that the store could not be asked.
  [[nodiscard]] virtual Ticket Count(const LimitRequest& question,
                                     Function<void(Result<LimitResult>)> on_answer) = 0;
};

}  // namespace idem::ports

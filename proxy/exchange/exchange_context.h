// The surroundings of an exchange: the services that the exchanges of one worker share, and its owner.
#pragma once

#include <cstddef>

#include "proxy/exchange/claim/claim_context.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/request_report.h"

namespace idem::exchange {

/// All members outlive the exchanges.
struct ExchangeContext : ClaimContext {
  ports::RateLimiter& limiter;
  ports::RequestReportSink& sink;
};

/// The owner of an exchange, as the exchange uses it.
class Retirement {
 public:
  virtual ~Retirement() = default;
  /// Called last by the exchange with this `place`. The owner destroys it on a later turn.
  virtual void Retire(std::size_t place) = 0;
};

}  // namespace idem::exchange

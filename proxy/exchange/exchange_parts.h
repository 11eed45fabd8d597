// What the exchanges of one worker use.
#pragma once

#include "proxy/exchange/parts.h"
#include "proxy/exchange/rate_limiter.h"
#include "proxy/exchange/report.h"

namespace idem::exchange {

/// All of it outlives the exchanges.
struct ExchangeParts : Parts {
  RateLimiter& limiter;
  Observer& sink;
};

}  // namespace idem::exchange

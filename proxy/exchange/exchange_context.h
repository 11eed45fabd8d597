// The services that the exchanges of one worker share.
#pragma once

#include "proxy/exchange/claim/claim_context.h"
#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/request_report.h"

namespace idem::exchange {

/// All members outlive the exchanges.
struct ExchangeContext : ClaimContext {
  ports::RateLimiter& limiter;
  ports::RequestReportSink& sink;
};

}  // namespace idem::exchange

// What the store answered, as the metrics count it.
#pragma once

#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_store.h"
#include "proxy/ports/transition.h"
#include "proxy/telemetry/metrics.h"

namespace idem::exchange {

void CountLimit(telemetry::Metrics& metrics, const Result<LimitVerdict>& verdict);
void CountBegin(telemetry::Metrics& metrics, BeginAnswer::Kind kind);
/// A begin that was answered with an error, or not in time.
void CountBeginFailed(telemetry::Metrics& metrics);
void CountLookUpRight(telemetry::Metrics& metrics, const Result<LookUpAnswer>& answer);
void CountSettlement(telemetry::Metrics& metrics, Settlement::Kind kind,
                     const Result<SettleAnswer>& answer);

}  // namespace idem::exchange

// Counts the answers of the store.
#pragma once

#include "proxy/ports/rate_limiter.h"
#include "proxy/ports/record_store.h"
#include "proxy/ports/transition.h"
#include "proxy/telemetry/metrics.h"

namespace idem::exchange {

void CountLimit(telemetry::Metrics& metrics, const Result<ports::LimitResult>& verdict);
void CountBegin(telemetry::Metrics& metrics, ports::BeginResult::Kind kind);
/// Counts a begin that was answered with an error, or not in time.
void CountBeginFailed(telemetry::Metrics& metrics);
void CountLookUpRight(telemetry::Metrics& metrics, const Result<ports::LookUpReservation>& answer);
/// Requires a kind that settles a claim: an operator's transitions are not counted.
void CountSettlement(telemetry::Metrics& metrics, ports::Transition::Kind kind,
                     const Result<ports::TransitionResult>& answer);

}  // namespace idem::exchange

// What the exchanges of one worker use.
#pragma once

#include "proxy/base/loop.h"
#include "proxy/base/random.h"
#include "proxy/exchange/key_waiters.h"
#include "proxy/exchange/rate_limiter.h"
#include "proxy/exchange/record_store.h"
#include "proxy/exchange/report.h"
#include "proxy/exchange/settler.h"
#include "proxy/telemetry/metrics.h"

namespace idem::exchange {

/// All of it outlives the exchanges.
struct Parts {
  Loop& loop;
  Random& random;
  RecordStore& store;
  RateLimiter& limiter;
  Settler& settler;
  KeyWaiters& waiters;
  Unrecorded& unrecorded;
  telemetry::Metrics& metrics;
  Observer& observer;
};

}  // namespace idem::exchange

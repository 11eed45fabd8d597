// What the claims of one worker use.
#pragma once

#include "proxy/base/loop.h"
#include "proxy/base/random.h"
#include "proxy/exchange/key_waiters.h"
#include "proxy/exchange/record_store.h"
#include "proxy/exchange/settler.h"
#include "proxy/telemetry/metrics.h"

namespace idem::exchange {

/// All of it outlives the claims.
struct Parts {
  Loop& loop;
  Random& random;
  RecordStore& store;
  Settler& settler;
  KeyWaiters& waiters;
  Unrecorded& unrecorded;
  telemetry::Metrics& metrics;
};

}  // namespace idem::exchange

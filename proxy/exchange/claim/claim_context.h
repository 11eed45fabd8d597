// What the claims of one worker use.
#pragma once

#include "proxy/base/loop.h"
#include "proxy/base/random.h"
#include "proxy/exchange/claim/key_wait_queue.h"
#include "proxy/exchange/claim/settlement_retrier.h"
#include "proxy/ports/record_store.h"
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

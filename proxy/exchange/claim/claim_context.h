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
struct ClaimContext {
  Loop& loop;
  Random& random;
  ports::RecordStore& store;
  SettlementRetrier& settler;
  KeyWaitQueue& waiters;
  UnrecordedTotals& unrecorded;
  telemetry::Metrics& metrics;
};

}  // namespace idem::exchange

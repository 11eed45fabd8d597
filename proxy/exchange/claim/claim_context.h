// The parts of a worker that its claims use.
#pragma once

#include "proxy/base/loop.h"
#include "proxy/base/random.h"
#include "proxy/exchange/claim/key_wait_queue.h"
#include "proxy/exchange/claim/settlement_retrier.h"
#include "proxy/ports/record_store.h"
#include "proxy/telemetry/metrics.h"

namespace idem::exchange {

/// All members outlive the claims.
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

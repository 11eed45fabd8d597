#include "proxy/exchange/claim/store_metrics.h"

namespace idem::exchange {

using telemetry::StoreOperation;
using telemetry::StoreResult;

namespace {

StoreResult ResultOf(BeginAnswer::Kind kind) {
  switch (kind) {
    case BeginAnswer::Kind::kClaimed:
      return StoreResult::kClaimed;
    case BeginAnswer::Kind::kHeld:
      return StoreResult::kHeld;
    case BeginAnswer::Kind::kLimited:
      return StoreResult::kLimited;
    case BeginAnswer::Kind::kWithdrawn:
      break;
  }
  return StoreResult::kWithdrawn;
}

StoreOperation OperationOf(Settlement::Kind kind) {
  switch (kind) {
    case Settlement::Kind::kComplete:
      return StoreOperation::kComplete;
    case Settlement::Kind::kRelease:
      return StoreOperation::kRelease;
    case Settlement::Kind::kMarkUnknown:
      return StoreOperation::kMarkUnknown;
    case Settlement::Kind::kWithdraw:
      break;
  }
  return StoreOperation::kWithdraw;
}

StoreResult ResultOf(SettleAnswer::Kind kind) {
  switch (kind) {
    case SettleAnswer::Kind::kDone:
      return StoreResult::kDone;
    case SettleAnswer::Kind::kRewritten:
      return StoreResult::kRewritten;
    case SettleAnswer::Kind::kHeld:
    case SettleAnswer::Kind::kGone:
      break;
  }
  return StoreResult::kHeld;
}

StoreResult ResultOf(LookUpAnswer::Kind kind) {
  return kind == LookUpAnswer::Kind::kGranted ? StoreResult::kClaimed : StoreResult::kHeld;
}

StoreResult ResultOf(const LimitVerdict& verdict) {
  return verdict.allowed ? StoreResult::kDone : StoreResult::kLimited;
}

}  // namespace

void CountLimit(telemetry::Metrics& metrics, const Result<LimitVerdict>& verdict) {
  metrics.CountStoreOperation(StoreOperation::kCount,
                              verdict ? ResultOf(*verdict) : StoreResult::kFailed);
}

void CountBegin(telemetry::Metrics& metrics, BeginAnswer::Kind kind) {
  metrics.CountStoreOperation(StoreOperation::kBegin, ResultOf(kind));
}

void CountBeginFailed(telemetry::Metrics& metrics) {
  metrics.CountStoreOperation(StoreOperation::kBegin, StoreResult::kFailed);
}

void CountLookUpRight(telemetry::Metrics& metrics, const Result<LookUpAnswer>& answer) {
  metrics.CountStoreOperation(StoreOperation::kClaimLookUp,
                              answer ? ResultOf(answer->kind) : StoreResult::kFailed);
}

void CountSettlement(telemetry::Metrics& metrics, Settlement::Kind kind,
                     const Result<SettleAnswer>& answer) {
  metrics.CountStoreOperation(OperationOf(kind),
                              answer ? ResultOf(answer->kind) : StoreResult::kFailed);
}

}  // namespace idem::exchange

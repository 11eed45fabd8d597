#include "proxy/exchange/claim/store_metrics.h"

#include "proxy/base/invariant.h"

namespace idem::exchange {

using telemetry::StoreOperation;
using telemetry::StoreResult;

namespace {

StoreResult ResultOf(ports::BeginResult::Kind kind) {
  switch (kind) {
    case ports::BeginResult::Kind::kClaimed:
      return StoreResult::kClaimed;
    case ports::BeginResult::Kind::kHeld:
      return StoreResult::kHeld;
    case ports::BeginResult::Kind::kLimited:
      return StoreResult::kLimited;
    case ports::BeginResult::Kind::kWithdrawn:
      break;
  }
  return StoreResult::kWithdrawn;
}

StoreOperation OperationOf(ports::Transition::Kind kind) {
  switch (kind) {
    case ports::Transition::Kind::kComplete:
      return StoreOperation::kComplete;
    case ports::Transition::Kind::kRelease:
      return StoreOperation::kRelease;
    case ports::Transition::Kind::kMarkUnknown:
      return StoreOperation::kMarkUnknown;
    case ports::Transition::Kind::kWithdraw:
      return StoreOperation::kWithdraw;
    case ports::Transition::Kind::kReleaseUnknown:
    case ports::Transition::Kind::kResolveUnknown:
      break;
  }
  INVARIANT(false);  // an operator's transitions are logged one by one, and no exchange makes them
  return StoreOperation::kWithdraw;
}

StoreResult ResultOf(ports::TransitionResult::Kind kind) {
  switch (kind) {
    case ports::TransitionResult::Kind::kDone:
      return StoreResult::kDone;
    case ports::TransitionResult::Kind::kRewritten:
      return StoreResult::kRewritten;
    case ports::TransitionResult::Kind::kHeld:
    case ports::TransitionResult::Kind::kGone:
      break;
  }
  return StoreResult::kHeld;
}

StoreResult ResultOf(ports::LookUpReservation::Kind kind) {
  return kind == ports::LookUpReservation::Kind::kGranted ? StoreResult::kClaimed
                                                          : StoreResult::kHeld;
}

StoreResult ResultOf(const ports::LimitResult& verdict) {
  return verdict.allowed ? StoreResult::kDone : StoreResult::kLimited;
}

}  // namespace

void CountLimit(telemetry::Metrics& metrics, const Result<ports::LimitResult>& verdict) {
  metrics.CountStoreOperation(StoreOperation::kCount,
                              verdict ? ResultOf(*verdict) : StoreResult::kFailed);
}

void CountBegin(telemetry::Metrics& metrics, ports::BeginResult::Kind kind) {
  metrics.CountStoreOperation(StoreOperation::kBegin, ResultOf(kind));
}

void CountBeginFailed(telemetry::Metrics& metrics) {
  metrics.CountStoreOperation(StoreOperation::kBegin, StoreResult::kFailed);
}

void CountLookUpRight(telemetry::Metrics& metrics, const Result<ports::LookUpReservation>& answer) {
  metrics.CountStoreOperation(StoreOperation::kClaimLookUp,
                              answer ? ResultOf(answer->kind) : StoreResult::kFailed);
}

void CountSettlement(telemetry::Metrics& metrics, ports::Transition::Kind kind,
                     const Result<ports::TransitionResult>& answer) {
  metrics.CountStoreOperation(OperationOf(kind),
                              answer ? ResultOf(answer->kind) : StoreResult::kFailed);
}

}  // namespace idem::exchange

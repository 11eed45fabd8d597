#include "proxy/exchange/limit_gate.h"

#include "proxy/exchange/claim/store_metrics.h"
#include "proxy/exchange/rules/caller_identity.h"

namespace idem::exchange {

ports::LimitRequest LimitGate::MakeLimitRequest(const Route& route, const http::Fields& fields) {
  return AskLimit(route, report_->address, report_->client, fields, context_.random);
}

void LimitGate::Count(const Route& route, const http::Fields& fields, Duration timeout) {
  const bool allow_on_error = route.rate_limit->allow_on_store_error;
  report_.StartStep();
  question_ = context_.limiter.Count(MakeLimitRequest(route, fields),
                                     [this, allow_on_error](Result<ports::LimitResult> result) {
                                       OnCounted(result, allow_on_error);
                                     });
  deadline_ = context_.loop.After(timeout, [this, allow_on_error] {
    question_.Withdraw();
    OnCounted(Error{ErrorCode::kTimeout, "the store did not answer in time", Delivery::kNotSent},
              allow_on_error);
  });
}

void LimitGate::OnCounted(const Result<ports::LimitResult>& result, bool allow_on_error) {
  deadline_.Withdraw();
  report_.AddElapsed(&ports::RequestReport::limit);
  CountLimit(context_.metrics, result);
  if (!result) {
    if (allow_on_error) return events_.OnWithinLimit();
    return events_.OnLimitRefused(StoreUnavailable(), telemetry::RequestDecision::kFailed);
  }
  result_ = *result;
  if (result->allowed) return events_.OnWithinLimit();
  events_.OnLimitRefused(RateLimited(result->reset), telemetry::RequestDecision::kRefused);
}

void LimitGate::Close() {
  question_.Withdraw();
  deadline_.Withdraw();
}

}  // namespace idem::exchange

// Counts one request against the rate limit of its route.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/base/ticket.h"
#include "proxy/exchange/exchange_context.h"
#include "proxy/exchange/report_builder.h"
#include "proxy/exchange/rules/problem_replies.h"
#include "proxy/exchange/rules/router.h"
#include "proxy/http/message.h"
#include "proxy/ports/rate_limiter.h"

namespace idem::exchange {

/// Called on the exchange's loop, never from inside Count(). Exactly one of them follows Count(),
/// unless Close() is called first.
class LimitGateEvents {
 public:
  virtual ~LimitGateEvents() = default;
  virtual void OnWithinLimit() = 0;
  virtual void OnLimitRefused(const Reply& reply, telemetry::RequestDecision decision) = 0;
};

/// Part of an exchange. A request that claims a key may be counted in the store's step that begins
/// the claim instead; then only MakeLimitRequest() is used.
class LimitGate {
 public:
  LimitGate(const ExchangeContext& context, ReportBuilder& report, LimitGateEvents& events)
      : context_(context), report_(report), events_(events) {}

  /// `route` has a rate limit. Uses the address and the client of the report.
  [[nodiscard]] ports::LimitRequest MakeLimitRequest(const Route& route,
                                                     const http::Fields& fields);
  /// Asks the limiter. `route` must live as long as this.
  void Count(const Route& route, const http::Fields& fields, Duration timeout);
  /// Withdraws the question, if one is open.
  void Close();

  /// The limiter's answer; null if Count() was not called or the limiter failed.
  [[nodiscard]] const std::optional<ports::LimitResult>& result() const { return result_; }

 private:
  void OnCounted(const Result<ports::LimitResult>& result, bool allow_on_error);

  const ExchangeContext& context_;
  ReportBuilder& report_;
  LimitGateEvents& events_;
  std::optional<ports::LimitResult> result_;
  Ticket question_;
  Ticket deadline_;
};

}  // namespace idem::exchange

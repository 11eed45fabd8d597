// An order as it is stored and as it is sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/random.h"
#include "upstream/order_request.h"

namespace idem::upstream {

struct Order {
  std::string id;  // a UUID in lower case
  OrderRequest request;
  std::optional<std::string> key;  // nullopt: created without a key, with --legacy
  std::string created_at;          // RFC 3339 in UTC: "2026-01-02T03:04:05.678901Z"
};

/// {"order":{"id":...,"user_id":...,"item":...,"amount":12.50,"idempotency_key":...,"created_at":...}}
[[nodiscard]] std::string ToJson(const Order& order);

/// Returns true if user, item and the value of the amount are equal ("5" equals "5.00").
[[nodiscard]] bool SameOrder(const OrderRequest& a, const OrderRequest& b);

/// Returns a new random identifier (RFC 9562, version 4).
[[nodiscard]] std::string NewUuid(Random& random);
/// Returns true for 32 hex digits of either case with hyphens in their places.
[[nodiscard]] bool IsUuid(std::string_view text);

}  // namespace idem::upstream

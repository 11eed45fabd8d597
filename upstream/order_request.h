// The body of POST /orders.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace idem::upstream {

inline constexpr std::size_t kTextCharactersMax = 255;  // of user_id and of item, in code points
inline constexpr std::size_t kAmountDigitsMax = 30;     // once written out

struct OrderRequest {
  std::string user_id;  // UTF-8
  std::string item;     // UTF-8
  std::string amount;   // a plain decimal greater than zero (decimal.h)
  bool operator==(const OrderRequest&) const = default;
};

/// Reads {"user_id":"u-1","item":"book","amount":12.50}. Ignores other members, but no member may
/// occur twice and no string may contain a NUL, which PostgreSQL cannot store. The detail of
/// kInvalid is for the caller.
[[nodiscard]] Result<OrderRequest> ParseOrderRequest(std::string_view body);

}  // namespace idem::upstream

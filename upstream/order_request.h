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
  std::string amount;   // a decimal greater than zero, written out (decimal.h)
  bool operator==(const OrderRequest&) const = default;
};

/// Reads {"user_id":"u-1","item":"book","amount":12.50}. Members with other names are ignored, but
/// no member may come twice and no string may hold a NUL (PostgreSQL has none). kInvalid otherwise;
/// the detail is for the caller.
[[nodiscard]] Result<OrderRequest> ParseOrderRequest(std::string_view body);

}  // namespace idem::upstream

// The responses of the order service, as data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "upstream/order.h"

namespace idem::upstream {

struct OrderResponse {
  std::uint16_t status = 200;
  std::string_view media_type = "application/json";
  std::string body;
  std::string_view allow;  // for 405; otherwise empty
};

/// Returns a response with the order.
[[nodiscard]] OrderResponse OrderAnswer(std::uint16_t status, const Order& order);

/// Returns an application/problem+json (RFC 9457) whose type is `urn:orders:problem:NAME`.
[[nodiscard]] OrderResponse ProblemAnswer(std::uint16_t status, std::string_view name,
                                          std::string_view detail);
/// Returns 405. `allow` is a list of methods with commas.
[[nodiscard]] OrderResponse MethodNotAllowed(std::string_view allow);

}  // namespace idem::upstream

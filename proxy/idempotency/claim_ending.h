// Decides how a claim ends: the table of semantics.md, "What happens to a claim". Pure.
#pragma once

#include <cstdint>

#include "proxy/base/result.h"
#include "proxy/idempotency/policy.h"

namespace idem::idempotency {

/// The upstream's result for one claim.
struct UpstreamResult {
  enum class Kind : std::uint8_t {
    kResponse,    // a complete response with `status` (200 to 599), whose end was announced
    kNotSent,     // no byte of the request was written
    kNoResponse,  // bytes were written; then a timeout, a reset, a truncated or malformed response
  };
  Kind kind = Kind::kNotSent;
  std::uint16_t status = 0;

  static UpstreamResult Response(std::uint16_t status) { return {Kind::kResponse, status}; }
  static UpstreamResult Failure(Delivery delivery) {
    return {delivery == Delivery::kNotSent ? Kind::kNotSent : Kind::kNoResponse, 0};
  }
};

[[nodiscard]] ClaimEnding DecideEnding(const Policy& policy, const UpstreamResult& result);

}  // namespace idem::idempotency

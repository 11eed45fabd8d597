// The fencing token of a claim.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "proxy/base/random.h"

namespace idem::idempotency {

/// 128 random bits that the proxy proposes for one claim. Every transition of that claim carries
/// them, so that a claim which was overtaken changes nothing.
struct Token {
  std::array<std::uint8_t, 16> bytes{};
  static Token Make(Random& random);
  [[nodiscard]] std::string ToHex() const;  // 32 lower-case digits
  bool operator==(const Token&) const = default;
};

}  // namespace idem::idempotency

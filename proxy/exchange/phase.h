// The phases of an exchange; the picture stands in exchange.h.
#pragma once

#include <cstdint>

namespace idem::exchange {

enum class Phase : std::uint8_t {
  kReceiving,
  kLimiting,
  kClaiming,  // the key is asked for, or waited for
  kForwarding,
  kRecording,
  kAnswering,
  kFinished
};

/// Whether an exchange in `from` may enter `to`: the arrows of the picture. Every refusal is an
/// arrow to kAnswering, and everything may end.
[[nodiscard]] constexpr bool MayFollow(Phase from, Phase to) {
  const auto is_one_of = [from](auto... phases) { return ((from == phases) || ...); };
  switch (to) {
    case Phase::kReceiving:
      return false;
    case Phase::kLimiting:
      return from == Phase::kReceiving;
    case Phase::kClaiming:
      return is_one_of(Phase::kReceiving, Phase::kLimiting);
    case Phase::kForwarding:
      return is_one_of(Phase::kReceiving, Phase::kLimiting, Phase::kClaiming);
    case Phase::kRecording:
      return from == Phase::kForwarding;
    case Phase::kAnswering:
      return !is_one_of(Phase::kAnswering, Phase::kFinished);
    case Phase::kFinished:
      return from != Phase::kFinished;
  }
  return false;
}

}  // namespace idem::exchange

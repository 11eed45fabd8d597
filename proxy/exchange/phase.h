// The phases of an exchange. exchange.h has the picture.
#pragma once

#include <cstdint>

namespace idem::exchange {

enum class Phase : std::uint8_t {
  kReceiving,
  kLimiting,
  kClaiming,  // claiming the key, or waiting for it
  kForwarding,
  kRecording,
  kAnswering,
  kFinished
};

/// Returns whether an exchange in `from` may enter `to`: the arrows of the picture. Refusals are
/// arrows to kAnswering from any phase, and any phase may go to kFinished.
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

// A source of random bytes as a value that is handed in, so that a simulation can repeat a run from
// its seed.
#pragma once

#include <cstdint>
#include <span>

namespace idem {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::uint8_t> bytes) = 0;
};

/// The operating system's generator (digest.h).
class SystemRandom final : public Random {
 public:
  void Fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace idem

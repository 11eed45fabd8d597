// A source of random bytes as a value that is handed in, so that a simulation can repeat a run from
// its seed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace idem {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::uint8_t> bytes) = 0;
};

/// The operating system's generator (digest.h), asked for many bytes at once: OpenSSL makes a
/// system call each time it is asked. One for each loop; what was given is wiped.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<std::uint8_t> bytes) override;

 private:
  std::array<std::uint8_t, 1024> pool_{};
  std::size_t left_ = 0;  // at the end of pool_
};

}  // namespace idem

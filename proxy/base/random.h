// A source of random bytes, passed as an object so that a simulation can repeat a run from its
// seed.
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

/// Reads the operating system's generator (digest.h) in blocks, because OpenSSL makes a system call
/// for every read. Each loop owns one. Bytes are wiped from the block when they are returned.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<std::uint8_t> bytes) override;

 private:
  std::array<std::uint8_t, 1024> pool_{};
  std::size_t left_ = 0;  // unused bytes at the end of pool_
};

}  // namespace idem

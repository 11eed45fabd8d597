// SHA-256 and HMAC-SHA256. Only this file uses OpenSSL's digests. Each thread fetches an algorithm
// once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace idem {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// Hashes bytes that are added in pieces (FIPS 180-4).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Add(std::string_view bytes);
  /// Returns the digest and starts a new one.
  [[nodiscard]] Sha256Digest Finish();

  static Sha256Digest Of(std::string_view bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Returns the HMAC of RFC 2104 with SHA-256.
[[nodiscard]] Sha256Digest HmacSha256(std::string_view secret, std::string_view message);

/// Returns whether two byte strings are equal. Its time depends on their lengths only.
[[nodiscard]] bool EqualInConstantTime(std::string_view a, std::string_view b);

/// Fills `bytes` from OpenSSL's generator, which is fit for tokens.
void FillRandom(std::uint8_t* bytes, std::size_t count);

/// Overwrites memory that held a secret. The compiler does not optimise the write away.
void WipeMemory(void* bytes, std::size_t count);

template <class Bytes>
std::string_view AsText(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace idem

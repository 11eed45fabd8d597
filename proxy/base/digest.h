// SHA-256 and HMAC-SHA256: the one home of OpenSSL's digests. Algorithms are fetched once for each
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace idem {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// The digest of all that was added, in pieces (FIPS 180-4).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Add(std::string_view bytes);
  /// The digest; afterwards this is as new.
  [[nodiscard]] Sha256Digest Finish();

  static Sha256Digest Of(std::string_view bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// RFC 2104 with SHA-256.
[[nodiscard]] Sha256Digest HmacSha256(std::string_view secret, std::string_view message);

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
[[nodiscard]] bool EqualInConstantTime(std::string_view a, std::string_view b);

/// Bytes from the operating system's generator, fit for tokens.
void FillRandom(std::uint8_t* bytes, std::size_t count);

/// Overwrites memory that held a secret; not optimised away.
void WipeMemory(void* bytes, std::size_t count);

template <class Bytes>
std::string_view AsText(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace idem

#include "proxy/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstring>

#include "proxy/base/invariant.h"

namespace idem {

namespace {

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigestContext>;

// EVP_sha256() looks up the provider's implementation at every use; a fetched digest avoids that
// (OpenSSL 3, crypto(7)).
const EVP_MD* FetchedSha256() {
  struct FreeMd {
    void operator()(EVP_MD* md) const { EVP_MD_free(md); }
  };
  static const std::unique_ptr<EVP_MD, FreeMd> kMd(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  INVARIANT(kMd != nullptr);
  return kMd.get();
}

constexpr std::size_t kBlockBytes = 64;

// Computing HMAC from two digests (RFC 2104, section 2) costs half of what OpenSSL's MAC objects
// cost for a small body.
Sha256Digest HmacRound(std::string_view key_block, std::uint8_t pad, std::string_view message) {
  std::array<std::uint8_t, kBlockBytes> block{};
  for (std::size_t i = 0; i < kBlockBytes; ++i)
    block[i] = static_cast<std::uint8_t>(static_cast<std::uint8_t>(key_block[i]) ^ pad);
  thread_local Sha256 sha;
  sha.Add(AsText(block));
  sha.Add(message);
  WipeMemory(block.data(), block.size());
  return sha.Finish();
}

}  // namespace

struct Sha256::Context {
  DigestContext evp{EVP_MD_CTX_new()};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  INVARIANT(EVP_DigestInit_ex2(context_->evp.get(), FetchedSha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Add(std::string_view bytes) {
  INVARIANT(EVP_DigestUpdate(context_->evp.get(), bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest;
  INVARIANT(EVP_DigestFinal_ex(context_->evp.get(), digest.data(), nullptr) == 1);
  INVARIANT(EVP_DigestInit_ex2(context_->evp.get(), FetchedSha256(), nullptr) == 1);
  return digest;
}

Sha256Digest Sha256::Of(std::string_view bytes) {
  thread_local Sha256 sha;
  sha.Add(bytes);
  return sha.Finish();
}

Sha256Digest HmacSha256(std::string_view secret, std::string_view message) {
  std::array<char, kBlockBytes> key{};
  if (secret.size() > kBlockBytes) {
    const auto digest = Sha256::Of(secret);
    std::memcpy(key.data(), digest.data(), digest.size());
  } else {
    std::memcpy(key.data(), secret.data(), secret.size());
  }
  const std::string_view key_block(key.data(), key.size());
  const auto inner = HmacRound(key_block, 0x36, message);
  const auto outer = HmacRound(key_block, 0x5c, AsText(inner));
  WipeMemory(key.data(), key.size());
  return outer;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void FillRandom(std::uint8_t* bytes, std::size_t count) {
  INVARIANT(RAND_bytes(bytes, static_cast<int>(count)) == 1);
}

void WipeMemory(void* bytes, std::size_t count) { OPENSSL_cleanse(bytes, count); }

}  // namespace idem

#include "proxy/idempotency/token.h"

#include <doctest/doctest.h>

#include <span>

namespace idem::idempotency {

TEST_CASE("a token is 16 random bytes, shown as 32 digits") {
  class Counting final : public Random {
   public:
    void Fill(std::span<std::uint8_t> bytes) override {
      for (std::uint8_t& byte : bytes) byte = next_++;
    }

   private:
    std::uint8_t next_ = 0xf0;
  } random;
  CHECK(Token::Make(random).ToHex() == "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  CHECK(Token::Make(random) != Token());
}

}  // namespace idem::idempotency

#include "proxy/idempotency/token.h"

#include "proxy/base/hex.h"

namespace idem::idempotency {

Token Token::Make(Random& random) {
  Token token;
  random.Fill(token.bytes);
  return token;
}

std::string Token::ToHex() const { return idem::ToHex(bytes); }

}  // namespace idem::idempotency

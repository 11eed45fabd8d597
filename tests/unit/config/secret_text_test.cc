#include "proxy/config/secret_text.h"

#include <doctest/doctest.h>

#include <string>

namespace idem::config {

TEST_CASE("a secret that no caller can have meant is wrong") {
  using namespace std::string_literals;
  for (const std::string& secret :
       {""s, " x"s, "x "s, "\tx"s, "   "s, "# new"s, "#"s, "$SHOP"s, "$a_1"s, "\xef\xbb\xbf"s + "x",
        "\xff\xfe"s + "x", "x\0y"s, "x\x01"s, "x\r"s, std::string(4097, 'x')}) {
    CAPTURE(secret.size());
    CHECK(WrongWithSecret(secret) != "");
  }
  for (const std::string& secret : {"x"s, "super-secret-key"s, "a b"s, "a#b"s, "$"s, "$1"s, "$a-b"s,
                                    "pa$$word"s, "\xc3\xa9"s, std::string(4096, 'x')}) {
    CAPTURE(secret);
    CHECK(WrongWithSecret(secret) == "");
  }
}

}  // namespace idem::config

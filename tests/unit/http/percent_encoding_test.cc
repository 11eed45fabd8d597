#include "proxy/http/percent_encoding.h"

#include <doctest/doctest.h>

namespace idem::http {

TEST_CASE("every byte is encoded to printable ASCII and read back, in one spelling") {
  for (int byte = 0; byte < 256; ++byte) {
    CAPTURE(byte);
    const std::string text(1, static_cast<char>(byte));
    std::string encoded;
    AppendPercentEncoded(text, "=;", encoded);
    const bool plain = byte >= '!' && byte <= '~' && byte != '%' && byte != '=' && byte != ';';
    CHECK(encoded.size() == (plain ? 1 : 3));
    std::string decoded = "before ";
    REQUIRE(AppendPercentDecoded(encoded, "=;", decoded));
    CHECK(decoded == "before " + text);
  }
}

TEST_CASE("another spelling is refused") {
  for (const char* encoded : {"%", "%2", "%3b", "%41", "%GG", "a b", ";", "%%"}) {
    CAPTURE(encoded);
    std::string decoded;
    CHECK_FALSE(AppendPercentDecoded(encoded, "=;", decoded));
  }
}

TEST_CASE("every escape that a caller wrote is decoded once, and what is none stays") {
  CHECK(DecodeEscapes("a%62%2Fc%2f") == "ab/c/");
  CHECK(DecodeEscapes("%2562") == "%62");
  CHECK(DecodeEscapes("%%41%zz%4") == "%A%zz%4");
  CHECK(DecodeEscapes("%00").size() == 1);
  CHECK(DecodeEscapes("").empty());
}

}  // namespace idem::http

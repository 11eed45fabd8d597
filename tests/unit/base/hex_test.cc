#include "proxy/base/hex.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace idem {

TEST_CASE("every byte is written as two digits and read in either case") {
  for (int value = 0; value < 256; ++value) {
    const std::array<std::uint8_t, 1> byte = {static_cast<std::uint8_t>(value)};
    std::string text = ToHex(byte);
    REQUIRE(text.size() == 2);
    CHECK(text.find_first_not_of("0123456789abcdef") == std::string::npos);
    std::array<std::uint8_t, 1> read{};
    CHECK(FromHex(text, read));
    CHECK(read == byte);
    for (char& c : text) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    CHECK(FromHex(text, read));
    CHECK(read == byte);
  }
}

TEST_CASE("hex is appended to what there is") {
  std::string text = "0x";
  AppendHex(std::array<std::uint8_t, 3>{0x00, 0x0f, 0xf0}, text);
  CHECK(text == "0x000ff0");
}

TEST_CASE("anything but exactly enough digits is refused") {
  std::array<std::uint8_t, 2> bytes{};
  for (const char* text : {"", "00", "000", "00000", "000000", "00g0", "0x00", " 000", "00 0",
                           "-000", "00:0", "00@0", "00`0", "00/0"}) {
    CAPTURE(text);
    CHECK_FALSE(FromHex(text, bytes));
  }
  CHECK(FromHex("0A0b", bytes));
  CHECK(FromHex("", std::span<std::uint8_t>()));
}

}  // namespace idem

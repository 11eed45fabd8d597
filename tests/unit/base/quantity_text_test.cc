#include "proxy/base/quantity_text.h"

#include <doctest/doctest.h>

namespace idem {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST_CASE("a duration is a whole number and a unit") {
  struct Row {
    const char* text;
    milliseconds time;
  };
  const Row rows[] = {{"0ms", 0ms}, {"250ms", 250ms},
                      {"30s", 30s}, {"5m", 5min},
                      {"24h", 24h}, {"7d", 168h},
                      {"007s", 7s}, {"106751991167d", milliseconds(9223372036828800000)}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto parsed = ParseDuration(row.text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == row.time);
  }
  for (const char* text : {"", "5", "s", "5 s", "-5s", "+5s", "5S", "1.5s", "5s ", "5min", "0x5s",
                           "106751991168d", "99999999999999999999s", "18446744073709551616ms"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseDuration(text).has_value());
  }
}

TEST_CASE("a size is a whole number of bytes, KiB, MiB or GiB") {
  struct Row {
    const char* text;
    std::uint64_t bytes;
  };
  const Row rows[] = {
      {"0", 0}, {"512", 512}, {"64KiB", 65536}, {"1MiB", 1048576}, {"2GiB", 1ULL << 31}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto parsed = ParseSize(row.text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == row.bytes);
  }
  for (const char* text : {"", "KiB", "1KB", "1kib", "1 KiB", "-1", "1.5MiB", "8589934592GiB",
                           "18446744073709551616"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseSize(text).has_value());
  }
}

TEST_CASE("a bound is shown as people write it") {
  CHECK(ToText(0ms) == "0ms");
  CHECK(ToText(1500ms) == "1500ms");
  CHECK(ToText(90s) == "90s");
  CHECK(ToText(24h) == "24h");
  CHECK(ToText(24h * 30) == "30d");
  CHECK(SizeToText(0) == "0");
  CHECK(SizeToText(1000) == "1000");
  CHECK(SizeToText(64 << 20) == "64MiB");
}

}  // namespace idem

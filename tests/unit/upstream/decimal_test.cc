#include "upstream/decimal.h"

#include <doctest/doctest.h>

namespace idem::upstream {

TEST_CASE("a JSON number is written out digit for digit") {
  struct Row {
    std::string_view number;
    std::optional<std::string> written;
  };
  const std::string thirty(30, '7');
  const Row rows[] = {
      {"5", "5"},
      {"0.10", "0.10"},
      {"12.50", "12.50"},
      {"1e2", "100"},
      {"1E+2", "100"},
      {"1e02", "100"},
      {"1.50e1", "15.0"},
      {"1.5e1", "15"},
      {"1.50e2", "150"},
      {"150e-2", "1.50"},
      {"1e-2", "0.01"},
      {"0.5e1", "5"},
      {"0.05e1", "0.5"},
      {"0.001e2", "0.1"},
      {"0.001e3", "1"},
      {"0e0", "0"},
      {"0.00", "0.00"},
      {"-0", "-0"},
      {"-1.5", "-1.5"},
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {"1e29", "1" + std::string(29, '0')},
      {"1e30", std::nullopt},
      {"1e-29", "0." + std::string(28, '0') + "1"},
      {"1e-30", std::nullopt},
      {"1234567890123456789012345678901", std::nullopt},
      {"0.123456789012345678901234567890", std::nullopt},
      {"0.12345678901234567890123456789", "0.12345678901234567890123456789"},
      {"1e400", std::nullopt},
      {"1e-400", std::nullopt},
      {"1e99999999999999999999", std::nullopt},
      {"1e-99999999999999999999", std::nullopt},
      {"1e9223372036854775807", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.number);
    CHECK(ToPlainDecimal(row.number, 30) == row.written);
  }
}

TEST_CASE("only what is more than zero is positive") {
  CHECK(IsPositive("0.01"));
  CHECK(IsPositive("100"));
  CHECK_FALSE(IsPositive("0"));
  CHECK_FALSE(IsPositive("0.00"));
  CHECK_FALSE(IsPositive("-0"));
  CHECK_FALSE(IsPositive("-1"));
}

TEST_CASE("numbers are the same if their values are") {
  CHECK(SameValue("5", "5.00"));
  CHECK(SameValue("100", "100"));
  CHECK(SameValue("0.10", "0.1"));
  CHECK_FALSE(SameValue("100", "1"));
  CHECK_FALSE(SameValue("0.10", "0.01"));
  CHECK_FALSE(SameValue("10", "1.0"));
}

}  // namespace idem::upstream

#include "proxy/config/yaml/scalar_syntax.h"

#include <doctest/doctest.h>

namespace idem::config {

TEST_CASE("statuses are one or a class, from 200 to 599") {
  const auto one = ParseStatuses("503");
  REQUIRE(one.has_value());
  CHECK(one->first == 503);
  CHECK(one->second == 503);
  const auto all = ParseStatuses("5xx");
  REQUIRE(all.has_value());
  CHECK(all->first == 500);
  CHECK(all->second == 599);
  for (const char* text : {"", "5", "1xx", "6xx", "199", "600", "5xX", "50x", "5033", "+50"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseStatuses(text).has_value());
  }
}

TEST_CASE("a slip of the finger finds the word that was meant") {
  const std::vector<std::string_view> known = {"listen", "limits", "log", "admin"};
  CHECK(Nearest("lisen", known) == "listen");
  CHECK(Nearest("LISTEN", known) == "listen");
  CHECK(Nearest("limit", known) == "limits");
  CHECK(Nearest("lgo", known).empty());  // two of three letters differ, so any name may be meant
  CHECK(Nearest("upstreams", known).empty());
  CHECK(Nearest(std::string(1000, 'l'), known).empty());
}

}  // namespace idem::config

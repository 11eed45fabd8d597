#include "proxy/exchange/rules/lenient_path.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace idem::exchange {

namespace {

bool Reaches(const std::string& path, const std::string& route, bool prefix = false) {
  const LenientRoutePath lenient(route);
  return std::ranges::any_of(LenientReadings(path), [&](const std::string& reading) {
    return lenient.Matches(reading, prefix);
  });
}

}  // namespace

TEST_CASE("a spelling that some server takes to a handler is a reading of its path") {
  for (const char* path : {"/v1/pay",
                           "/v1/pay/",
                           "/v1/pay//",
                           "/v1/pay/.",
                           "/v1/pay/..;/pay",
                           "/v1/pay;v=1",
                           "/v1/pay;",
                           "/v1;x/pay",
                           "/;x/v1/pay",
                           "/x/..;/v1/pay",
                           "/v1/x/..;/pay",
                           "/v1/Pay",
                           "/V1/PAY",
                           "/v1/pay.json",
                           "/v1/pay.php",
                           "/v1/pay%20",
                           "/v1/pay.",
                           "/v1/pay%2e",
                           "/v1/%2570ay",
                           "/v1%252fpay",
                           "/v1/pay%23x",
                           "/v1/pay%3Bx",
                           "/v1/%25252570ay",
                           "/v1/pay%253bx=1",
                           "/public/%2e%2e;/v1/pay",
                           "/public/..%3b/v1/pay",
                           "//v1//pay",
                           "/v1%5Cpay",
                           "/v1\\pay",
                           "/v1/%70ay",
                           "/v1/./pay",
                           "/v1/x/../pay",
                           "/v1/pay%00",
                           "/v1/pay%09",
                           "/v1/pay%0d%0a",
                           "/v1/pay%3fx",
                           "/v1/%20pay",
                           "/v1/pay.json/",
                           "/v1/pay.json;x=1",
                           "/../v1/pay",
                           "/v1/pay%2f",
                           "/v1/pay%252e",
                           "/V1%2FPAY%20%20."}) {
    CAPTURE(path);
    CHECK(Reaches(path, "/v1/pay"));
  }
}

TEST_CASE("another path is not a reading of a route's path") {
  for (const char* path : {"/", "/v1", "/v1/pa", "/v1/payx", "/v1/pay/x", "/v1/pay-x", "/x/v1/pay",
                           "/v1/pay/x/y", "/v1pay", "/v1/p%61yx", "/v1/pay/..", "/v1/.pay"}) {
    CAPTURE(path);
    CHECK_FALSE(Reaches(path, "/v1/pay"));
  }
}

TEST_CASE("a prefix is reached by every path below it, resolved or not") {
  for (const char* path :
       {"/v1/pay/x", "/v1/pay/..;/other", "/V1/pay/x;y", "/v1/pay.json", "/v1/pay/%252e%252e/x"}) {
    CAPTURE(path);
    CHECK(Reaches(path, "/v1/pay", true));
  }
  CHECK_FALSE(Reaches("/v1/payments", "/v1/pay", true));
  CHECK(Reaches("/anything", "/", true));
}

TEST_CASE("a suffix in the path of a route belongs to a name or to a version") {
  CHECK(Reaches("/v1/pay", "/v1/pay.php"));       // MultiViews
  CHECK(Reaches("/v1/pay.xml", "/v1/pay.json"));  // a suffix that names a representation
  CHECK_FALSE(Reaches("/v1/x", "/v1.0", true));   // another version
  CHECK(Reaches("/v1.0/x", "/v1.0", true));
}

TEST_CASE("a plain path has one reading, and that is itself") {
  for (const char* path : {"/v1/pay", "/orders", "/a-b/c_d/9"}) {
    CAPTURE(path);
    CHECK(HasOneReading(path));
    CHECK(LenientReadings(path) == std::vector<std::string>{path});
  }
  for (const char* path : {"/", "", "/a/", "/A", "/a.b", "/a%62", "/a;b", "//a", "/a//b", "a"}) {
    CAPTURE(path);
    CHECK_FALSE(HasOneReading(path));
  }
}

}  // namespace idem::exchange

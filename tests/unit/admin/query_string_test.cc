#include "proxy/admin/query_string.h"

#include <doctest/doctest.h>

namespace idem::admin {

TEST_CASE("a query is read name by name, decoded") {
  const auto query = Query::Parse("/records?state=unknown&route=a%26b+c&client=&flag");
  REQUIRE(query);
  CHECK(query->Find("state") == "unknown");
  CHECK(query->Find("route") == "a&b c");
  CHECK(query->Find("client").empty());
  CHECK(query->Find("flag").empty());
  CHECK(query->Find("nothing").empty());
  CHECK(query->UnknownName({"state", "route", "client"}) == "flag");
  CHECK(query->UnknownName({"state", "route", "client", "flag"}).empty());
  REQUIRE(Query::Parse("/records"));
  CHECK(Query::Parse("/records")->UnknownName({}).empty());
}

TEST_CASE("a query that can be read in two ways, or in none, is refused") {
  for (const char* target : {"/r?a=%", "/r?a=%4", "/r?a=%4g", "/r?a=1&a=2", "/r?a=1&%61=2"}) {
    CAPTURE(target);
    CHECK_FALSE(Query::Parse(target));
  }
}

}  // namespace idem::admin

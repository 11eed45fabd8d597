#include "proxy/auth/scheme.h"

#include <doctest/doctest.h>

#include <set>

namespace idem::auth {

TEST_CASE("every scheme has a name of its own by which it is found") {
  std::set<std::string_view> names;
  for (const Scheme scheme : kSchemes) {
    CAPTURE(SchemeName(scheme));
    CHECK(names.insert(SchemeName(scheme)).second);
    CHECK(FindScheme(SchemeName(scheme)) == scheme);
  }
  CHECK_FALSE(FindScheme(""));
  CHECK_FALSE(FindScheme("hmac"));
}

}  // namespace idem::auth

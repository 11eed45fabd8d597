#include "proxy/libpq/url.h"

#include <doctest/doctest.h>

namespace idem::libpq {

TEST_CASE("a name is looked up first, an address and a socket are not") {
  struct Row {
    std::string_view url;
    std::string_view name;
    std::uint16_t port;
  };
  for (const Row& row : {
           Row{"postgres://u:p@db.example:5433/orders", "db.example", 5433},
           Row{"postgresql://db/orders?sslmode=require", "db", 0},
           Row{"postgres://127.0.0.1/orders", "", 0},
           Row{"postgres://[::1]:5433/orders", "", 0},
           Row{"postgres:///orders", "", 0},
           Row{"postgres://%2Frun%2Fpostgresql/orders", "", 0},
           Row{"postgres://db/orders?hostaddr=127.0.0.1", "", 0},
       }) {
    CAPTURE(row.url);
    const auto url = Url::Parse(row.url);
    REQUIRE(url);
    const auto name = url->name_to_resolve();
    REQUIRE(name.has_value() == !row.name.empty());
    if (!name) continue;
    CHECK(name->host == row.name);
    CHECK(name->port == row.port);
  }
}

TEST_CASE("what is no database's URL is refused without repeating a secret") {
  for (const std::string_view text :
       {"", "host=db", "mysql://u:secret@db", "postgres://u:secret@a,b/orders",
        "postgres://u:secret@db:1x/orders/y?z", "postgres://u:sec/secret@db/orders",
        "postgres://u:12/secret@db/orders", "postgres://u:secret%zz@db/orders",
        "postgres://u:secret@[::1/orders", "postgres://u:secret@db/orders?password=secret=x",
        "postgres://u:secret@db/orders?secret=1"}) {
    CAPTURE(text);
    const auto url = Url::Parse(text);
    REQUIRE_FALSE(url);
    CHECK(url.error().code == ErrorCode::kInvalid);
    CHECK(url.error().detail.find("secret") == std::string::npos);
  }
}

}  // namespace idem::libpq

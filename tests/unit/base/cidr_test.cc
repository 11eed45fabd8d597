#include "proxy/base/cidr.h"

#include <doctest/doctest.h>

#include <string>

namespace idem {

TEST_CASE("a block holds the addresses that share its prefix, and no others") {
  struct Row {
    const char* block;
    const char* address;
    bool inside;
  };
  const Row rows[] = {
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},  // the same address in IPv6's spelling
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.128/25", "192.0.2.128", true},
      {"192.0.2.1", "192.0.2.1", true},  // a single address
      {"192.0.2.1", "192.0.2.2", false},
      {"0.0.0.0/0", "203.0.113.7", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::1", "::1", true},
      {"127.0.0.0/8", "unix", false},
      {"127.0.0.0/8", "", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.block);
    CAPTURE(row.address);
    const auto cidr = Cidr::Parse(row.block);
    REQUIRE(cidr.has_value());
    CHECK(cidr->Contains(row.address) == row.inside);
  }
}

TEST_CASE("what is no block of addresses is refused") {
  for (const char* text : {"", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
                           "10.0.0.1/8", "localhost", "::/129", "2001:db8::1/64", "/8",
                           "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"}) {
    CAPTURE(text);
    CHECK_FALSE(Cidr::Parse(text).has_value());
  }
}

}  // namespace idem

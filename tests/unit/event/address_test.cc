#include "proxy/event/address.h"

#include <doctest/doctest.h>

namespace idem::event {
namespace {

TEST_CASE("addresses are read and written back as they were") {
  for (const char* text : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:8080", "[2001:db8::1]:65535",
                           "localhost:9000", "orders.shop_1.internal:80", "unix:/run/a.sock"}) {
    CAPTURE(text);
    const auto endpoint = Endpoint::Parse(text);
    REQUIRE(endpoint.has_value());
    CHECK(endpoint->ToText() == text);
  }
}

TEST_CASE("what is not an address is refused") {
  for (const std::string& text : {std::string(""),
                                  std::string("127.0.0.1"),
                                  std::string(":80"),
                                  std::string("127.0.0.1:"),
                                  std::string("127.0.0.1:65536"),
                                  std::string("127.0.0.1:+80"),
                                  std::string("127.0.0.1:8o"),
                                  std::string("127.0.0.1: 80"),
                                  std::string("::1:80"),
                                  std::string("[::1]"),
                                  std::string("[127.0.0.1]:80"),
                                  std::string("[::1:80"),
                                  std::string("256.0.0.1:80"),
                                  std::string("1.2.3:80"),
                                  std::string("a b:80"),
                                  std::string("a..b:80"),
                                  std::string("-a:80"),
                                  std::string("http://a:80"),
                                  std::string("unix:"),
                                  "unix:/" + std::string(108, 'a'),
                                  std::string("unix:/a\0b", 9)}) {
    CAPTURE(text);
    CHECK_FALSE(Endpoint::Parse(text).has_value());
  }
}

TEST_CASE("literals become socket addresses, names do not") {
  for (const char* text : {"127.0.0.1:8080", "[::1]:8080", "unix:/run/a.sock"}) {
    CAPTURE(text);
    const auto address = SocketAddress::FromLiteral(*Endpoint::Parse(text));
    REQUIRE(address.has_value());
    CHECK(address->ToText() == text);
  }
  CHECK_FALSE(SocketAddress::FromLiteral(*Endpoint::Parse("localhost:1")).has_value());
}

TEST_CASE("a peer's address is returned without its port, an IPv4-mapped one as IPv4") {
  const auto host = [](const char* text) {
    return SocketAddress::FromLiteral(*Endpoint::Parse(text))->host_text();
  };
  CHECK(host("192.0.2.1:5") == "192.0.2.1");
  CHECK(host("[2001:DB8:0::1]:5") == "2001:db8::1");
  CHECK(host("[::ffff:192.0.2.1]:5") == "192.0.2.1");
  CHECK(host("unix:/a") == "unix");
}

}  // namespace
}  // namespace idem::event

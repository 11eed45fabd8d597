#include "proxy/forward/address_directory.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/virtual_loop.h"

namespace idem::forward {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A directory of literal addresses, which differ by their port.
struct Town {
  explicit Town(int ports) : directory(loop, resolver, Endpoints(ports)) {}

  static std::vector<event::Endpoint> Endpoints(int ports) {
    std::vector<event::Endpoint> endpoints;
    for (int port = 1; port <= ports; ++port) {
      endpoints.push_back(*event::Endpoint::Parse("127.0.0.1:" + std::to_string(port)));
    }
    return endpoints;
  }
  static event::SocketAddress At(int port) {
    return *event::SocketAddress::FromLiteral(
        *event::Endpoint::Parse("127.0.0.1:" + std::to_string(port)));
  }
  std::string Ports() {
    std::string ports;
    for (const auto& address : directory.Candidates()) {
      const std::string text = address.ToText();
      ports += text.substr(text.find(':') + 1);
    }
    return ports;
  }

  support::VirtualLoop loop;
  event::Resolver resolver;
  AddressDirectory directory;
};

}  // namespace

TEST_CASE("addresses take turns") {
  Town town(3);
  CHECK(town.Ports() == "123");
  CHECK(town.Ports() == "231");
  CHECK(town.Ports() == "312");
  CHECK(town.Ports() == "123");
}

TEST_CASE(
    "an address that was set aside is tried last, for five seconds or until it is set right") {
  Town town(3);
  town.directory.SetAside(Town::At(1));
  CHECK(town.Ports() == "231");
  CHECK(town.Ports() == "231");
  CHECK(town.Ports() == "321");
  town.loop.Advance(milliseconds(4999));
  CHECK(town.Ports() == "231");
  town.loop.Advance(milliseconds(1));
  town.Ports();
  CHECK(town.Ports() == "312");
  CHECK(town.Ports() == "123");

  town.directory.SetAside(Town::At(2));
  CHECK(town.Ports() == "312");
  town.directory.SetRight(Town::At(2));
  CHECK(town.Ports() == "312");
  CHECK(town.Ports() == "123");
  CHECK(town.Ports() == "231");
}

TEST_CASE("where all are set aside, who has been so for longest comes first") {
  Town town(4);
  for (const int port : {3, 1, 4, 2}) {
    town.directory.SetAside(Town::At(port));
    town.loop.Advance(seconds(1));
  }
  CHECK(town.Ports() == "3142");
  town.directory.SetAside(Town::At(3));  // it refused again
  CHECK(town.Ports() == "1423");
}

}  // namespace idem::forward

#include "proxy/auth/client_credentials.h"

#include <doctest/doctest.h>

#include <utility>

namespace idem::auth {

TEST_CASE("a secret that was moved away is gone from where it was") {
  Secret from("a secret that is longer than what a string keeps inline");
  const Secret to(std::move(from));
  CHECK(to.bytes() == "a secret that is longer than what a string keeps inline");
  CHECK(from.bytes().empty());  // NOLINT(bugprone-use-after-move): it is what is tested
}

TEST_CASE("a secret is replaced whole") {
  Secret secret("old and long enough to be on the heap, one would think");
  secret = Secret("new");
  CHECK(secret.bytes() == "new");
  const Secret copy = secret;
  secret = copy;
  CHECK(secret.bytes() == "new");
  CHECK(copy.bytes() == "new");
}

TEST_CASE("a client is found by its whole id") {
  const Clients clients = {{"shop", {}}, {"shop-2", {}}};
  REQUIRE(FindClient(clients, "shop-2") != nullptr);
  CHECK(FindClient(clients, "shop-2")->id == "shop-2");
  CHECK(FindClient(clients, "sho") == nullptr);
  CHECK(FindClient(clients, "SHOP") == nullptr);
}

}  // namespace idem::auth

#include "proxy/exchange/rules/router.h"

#include <doctest/doctest.h>

#include <string>

namespace idem::exchange {

namespace {

Route Protected(const std::string& path, bool prefix = false) {
  Route route;
  route.name = "protected";
  route.path = path;
  route.prefix = prefix;
  route.idempotency.emplace();
  return route;
}

Route CatchAll(std::size_t backend = 0) {
  Route route;
  route.name = "rest";
  route.path = "/";
  route.prefix = true;
  route.backend = backend;
  return route;
}

// The name of the route, or "ambiguous", "none", "method".
std::string Found(const Router& router, const std::string& target,
                  const std::string& method = "POST", const std::string& host = "h") {
  const auto match = router.Find(method, host, target);
  if (const auto* route = std::get_if<const Route*>(&match)) return (*route)->name;
  if (std::holds_alternative<Router::AmbiguousPath>(match)) return "ambiguous";
  return std::holds_alternative<Router::NoRoute>(match) ? "none" : "method";
}

}  // namespace

TEST_CASE("a spelling that may reach a protected route does not pass by another one") {
  const Router router({Protected("/v1/pay"), CatchAll()});
  CHECK(Found(router, "/v1/pay") == "protected");
  CHECK(Found(router, "/v1/pay?x=/v1/pay/") == "protected");
  CHECK(Found(router, "/v1/other") == "rest");
  CHECK(Found(router, "/v1/pay/7/refund") == "rest");
  for (const char* target :
       {"/v1/pay/", "/V1/pay", "/v1/pay;x=1", "/public/..;/v1/pay", "/v1/pay%20", "/v1/pay.json",
        "/v1/%2570ay", "/v1%2fpay", "/v1/pay/?a=b"}) {
    CAPTURE(target);
    CHECK(Found(router, target) == "ambiguous");
    CHECK(Found(router, target, "post") == "ambiguous");
    CHECK(Found(Router({Protected("/v1/pay")}), target) != "protected");
  }
}

TEST_CASE("a method that a key does not protect passes in any spelling") {
  const Router router({Protected("/v1/pay"), CatchAll()});
  CHECK(Found(router, "/V1/pay", "GET") == "rest");
  Route authenticated = Protected("/v1/pay");
  authenticated.authenticate.emplace().scheme = auth::Scheme::kHmacBody;
  CHECK(Found(Router({authenticated, CatchAll()}), "/V1/pay", "GET") == "ambiguous");
  Route rest = CatchAll();
  rest.authenticate = authenticated.authenticate;
  CHECK(Found(Router({authenticated, rest}), "/V1/pay", "GET") == "rest");
  CHECK(Found(Router({authenticated, rest}), "/V1/pay", "POST") == "ambiguous");
}

TEST_CASE("a limit is not walked past by another spelling") {
  Route limited = CatchAll();
  limited.name = "limited";
  limited.path = "/v1";
  limited.rate_limit.emplace();
  CHECK(Found(Router({limited, CatchAll()}), "/V1/x", "GET") == "ambiguous");
}

TEST_CASE("another backend is no way around") {
  CHECK(Found(Router({Protected("/v1/pay"), CatchAll(1)}), "/V1/pay") == "rest");
}

TEST_CASE("the owner's word lets other spellings pass") {
  Route route = Protected("/v1/pay");
  route.strict_paths = false;
  CHECK(Found(Router({route, CatchAll()}), "/V1/pay") == "rest");
}

TEST_CASE("a route that only observes refuses nothing") {
  Route route = Protected("/v1/pay");
  route.idempotency->mode = idempotency::Mode::kObserve;
  CHECK(Found(Router({route, CatchAll()}), "/V1/pay") == "rest");
  CHECK(Found(Router({route, CatchAll()}), "/v1%2fx") == "rest");
}

TEST_CASE("%2F passes where nothing of the backend is protected") {
  CHECK(Found(Router({CatchAll()}), "/a%2Fb") == "rest");
  CHECK(Found(Router({Protected("/pay"), CatchAll()}), "/a%2Fb") == "ambiguous");
  CHECK(Found(Router({Protected("/pay"), CatchAll(1)}), "/a%2Fb") == "rest");
}

TEST_CASE("a route that is named in another spelling is served by itself") {
  Route listed = CatchAll();
  listed.name = "listed";
  listed.path = "/v1/pay/";
  listed.prefix = false;
  CHECK(Found(Router({listed, Protected("/v1/pay"), CatchAll()}), "/v1/pay/") == "listed");
  CHECK(Found(Router({Protected("/v1/Pay"), CatchAll()}), "/v1/pay") == "ambiguous");
}

TEST_CASE("the dot of the root at the end of a host names the same host") {
  Route route = Protected("/", true);
  route.host = "pay.example.com";
  const Router router({route, CatchAll()});
  for (const char* host : {"pay.example.com", "pay.example.com.", "PAY.example.com.:8080"}) {
    CAPTURE(host);
    CHECK(Found(router, "/x", "POST", host) == "protected");
  }
  CHECK(Found(router, "/x", "POST", "other.example.com") == "rest");
}

TEST_CASE("a method of a route is matched in any case") {
  Route route = Protected("/v1/pay");
  route.methods = {"POST"};
  CHECK(Found(Router({route, CatchAll()}), "/v1/pay", "post") == "protected");
}

}  // namespace idem::exchange

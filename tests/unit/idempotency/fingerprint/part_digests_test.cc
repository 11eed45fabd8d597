#include "proxy/idempotency/fingerprint/part_digests.h"

#include <doctest/doctest.h>

#include <string>

#include "proxy/idempotency/fingerprint/fingerprint.h"

namespace idem::idempotency {

namespace {

struct Request {
  std::string method = "POST";
  std::string target = "/orders?a=1";
  std::string body = "{\"a\":1}";
  http::Fields fields;
  Request() { fields.Add("Content-Type", "application/json"); }

  [[nodiscard]] std::string Digests(const Recipe& recipe) const {
    std::string digests;
    static_cast<void>(ComputeFingerprint(recipe,
                                         {.route = "orders",
                                          .client = "",
                                          .method = method,
                                          .target = target,
                                          .fields = &fields,
                                          .body = body},
                                         &digests));
    return digests;
  }
};

}  // namespace

TEST_CASE("what differs is named, part by part") {
  Recipe recipe;
  recipe.headers = {"content-type", "x-part"};
  const Request first;
  const std::string held = first.Digests(recipe);
  CHECK(held.size() == 48);
  CHECK(ArePartDigests(held));
  const auto differs = [&](const Request& other) {
    return DifferingParts(recipe, other.Digests(recipe), held);
  };
  CHECK(differs(first).empty());
  Request other;
  other.method = "PATCH";
  CHECK(differs(other) == "method");
  other = {};
  other.target = "/order?a=1";
  CHECK(differs(other) == "path");
  other.target = "/orders?a=2";
  CHECK(differs(other) == "query");
  other.target = "/orders";
  CHECK(differs(other) == "query");
  other = {};
  other.body = "{\"a\":2}";
  CHECK(differs(other) == "body");
  other.fields.Set("Content-Type", "application/json; charset=utf-8");
  CHECK(differs(other) == "body,content-type");
  other = {};
  other.fields.Add("X-Part", "");
  CHECK(differs(other) == "x-part");
}

TEST_CASE("a body that is the same by its recipe has the same digest") {
  Recipe recipe;
  recipe.body = BodyMode::kJson;
  Request first;
  Request other;
  first.body = R"({"a":1,"b":2})";
  other.body = R"({"b":2, "a":1.0})";
  CHECK(DifferingParts(recipe, first.Digests(recipe), other.Digests(recipe)).empty());
}

TEST_CASE("digests of another recipe, or none, name nothing") {
  const Request request;
  Recipe two;
  two.headers = {"a", "b"};
  CHECK(DifferingParts(Recipe{}, request.Digests(Recipe{}), "").empty());
  CHECK(DifferingParts(Recipe{}, request.Digests(Recipe{}), request.Digests(two)).empty());
}

TEST_CASE("the digests are the same on every machine") {
  CHECK(Request().Digests(Recipe{}) == "faeadf53e8c36ff7ec6d8d6c5ca0482e51ac4450");
}

}  // namespace idem::idempotency

#include "proxy/idempotency/fingerprint/fingerprint.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/hex.h"

namespace idem::idempotency {

namespace {

struct Request {
  std::string route = "orders";
  std::string client = "shop";
  std::string method = "POST";
  std::string target = "/orders?x=1";
  std::vector<std::pair<std::string, std::string>> fields = {{"Content-Type", "application/json"},
                                                             {"X-Trace", "1"}};
  std::string body = R"({"a":1,"b":[2]})";
};

Fingerprint Print(const Recipe& recipe, const Request& request) {
  http::Fields fields;
  for (const auto& [name, value] : request.fields) fields.Add(name, value);
  return ComputeFingerprint(recipe, {request.route, request.client, request.method, request.target,
                                     &fields, request.body});
}

Recipe Raw(std::vector<std::string> headers = {"content-type"}) {
  return {BodyMode::kRaw, std::move(headers), {}};
}
Recipe Json(std::vector<std::string> ignore = {}) {
  return {BodyMode::kJson, {"content-type"}, std::move(ignore)};
}

Request With(void (*change)(Request&)) {
  Request request;
  change(request);
  return request;
}

Request WithBody(std::string body) {
  Request request;
  request.body = std::move(body);
  return request;
}

}  // namespace

TEST_CASE("each part of a request that counts makes another fingerprint") {
  std::vector<Request> requests = {
      With([](Request&) {}),
      With([](Request& r) { r.route = "refunds"; }),
      With([](Request& r) { r.client = ""; }),
      With([](Request& r) { r.client = "till"; }),
      With([](Request& r) { r.method = "PATCH"; }),
      With([](Request& r) { r.target = "/orders?x=2"; }),
      With([](Request& r) { r.target = "/Orders?x=1"; }),
      With([](Request& r) { r.fields[0].second = "text/plain"; }),
      With([](Request& r) { r.fields[0].second = ""; }),
      With([](Request& r) { r.fields.erase(r.fields.begin()); }),
      With([](Request& r) { r.fields.push_back(r.fields[0]); }),
      With([](Request& r) { r.body = R"({"a":1, "b":[2]})"; }),
      With([](Request& r) { r.body = ""; }),
      With([](Request& r) { r.body.push_back('\0'); }),
  };
  std::set<Fingerprint> prints;
  for (const Request& request : requests) prints.insert(Print(Raw(), request));
  CHECK(prints.size() == requests.size());
}

TEST_CASE("what the recipe does not name does not count") {
  const Fingerprint print = Print(Raw(), {});
  CHECK(Print(Raw(), With([](Request& r) { r.fields[1].second = "2"; })) == print);
  CHECK(Print(Raw(), With([](Request& r) { r.fields.pop_back(); })) == print);
  CHECK(Print(Raw(), With([](Request& r) { r.fields[0].first = "CONTENT-TYPE"; })) == print);
}

TEST_CASE("no text can move from one part to the next") {
  const Fingerprint print = Print(Raw({"a", "b"}), {});
  CHECK(Print(Raw({"a", "b"}), With([](Request& r) {
                r.route = "order";
                r.client = "sshop";
              })) != print);
  const auto prints = [](const char* a, const char* b) {
    Request request;
    request.fields = {};
    if (a != nullptr) request.fields.emplace_back("a", a);
    if (b != nullptr) request.fields.emplace_back("b", b);
    return Print(Raw({"a", "b"}), request);
  };
  const std::set<Fingerprint> distinct = {
      prints("xy", ""),      prints("x", "y"),         prints("", "xy"), prints("xy", nullptr),
      prints(nullptr, "xy"), prints(nullptr, nullptr), prints("", "")};
  CHECK(distinct.size() == 7);
}

TEST_CASE("a fingerprint stays what it was in earlier releases") {
  CHECK(ToHex(Print(Raw(), {})) ==
        "5881f7ff18780f6e0314f99b912d9244e423cc9cf85b9669c9a7992d47135104");
  CHECK(ToHex(Print(Json({"/b"}), {})) ==
        "54d0763c4a3571c05cae796193b188d0692f9f35fd09f24ddf7a279bc96983b6");
}

TEST_CASE("json compares values, not spelling") {
  const Fingerprint print = Print(Json(), {});
  struct Row {
    const char* body;
    bool same;
  };
  const Row rows[] = {
      {R"( { "b" : [ 2 ], "a" : 1.0 } )", true},
      {R"({"\u0061":1e0,"b":[20e-1]})", true},
      {R"({"a":1,"b":[2.0000000000000000001]})", false},
      {R"({"a":"1","b":[2]})", false},
      {R"({"a":1,"b":[2],"c":null})", false},
      {R"({"a":1,"b":[2],"b":[2]})", false},  // counts as it is: a name came twice
      {R"({"a":1,"b":[2])", false},           // counts as it is: not JSON
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    CHECK((Print(Json(), WithBody(row.body)) == print) == row.same);
  }
}

TEST_CASE("a body that is not JSON counts as it is") {
  CHECK(Print(Json(), WithBody("{,}")) == Print(Json(), WithBody("{,}")));
  CHECK(Print(Json(), WithBody("{,}")) != Print(Json(), WithBody("{ ,}")));
}

TEST_CASE("a body with a content coding counts as it is") {
  Request coded;
  coded.fields.emplace_back("content-encoding", "gzip");
  Request spaced = coded;
  spaced.body = R"({"a":1, "b":[2]})";
  CHECK(Print(Json(), coded) != Print(Json(), spaced));
}

TEST_CASE("ignored members do not count, the others do") {
  const Recipe recipe = Json({"/b/0", "/sent_at"});
  const Fingerprint print = Print(recipe, {});
  CHECK(Print(recipe, WithBody(R"({"a":1,"b":[],"sent_at":"now"})")) == print);
  CHECK(Print(recipe, WithBody(R"({"a":1,"b":[9]})")) == print);
  CHECK(Print(recipe, WithBody(R"({"a":1,"b":[9,8]})")) != print);
  CHECK(Print(recipe, WithBody(R"({"a":2,"b":[2]})")) != print);
}

TEST_CASE("a recipe has one id, from which it is made again") {
  struct Row {
    Recipe recipe;
    const char* id;
  };
  const Row rows[] = {
      {{}, "1:raw:content-type:"},
      {{BodyMode::kRaw, {}, {}}, "1:raw::"},
      {{BodyMode::kRaw, {"content-type"}, {}, true}, "2:raw:content-type:"},
      {{BodyMode::kJson, {"a"}, {"/x"}, true}, "2:json:a:/x"},
      {{BodyMode::kJson, {"a", "b"}, {"/x", "/y z"}}, "1:json:a,b:/x,/y%20z"},
      {{BodyMode::kJson, {}, {"/a,b:c%", "/\xC3\xA9"}}, "1:json::/a%2Cb%3Ac%25,/%C3%A9"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.id);
    CHECK(row.recipe.ToId() == row.id);
    CHECK(Recipe::FromId(row.id) == row.recipe);
  }
}

TEST_CASE("an id that this release cannot have written makes no recipe") {
  for (const char* id : {"", "1", "3:raw:content-type:", "1:cbor:content-type:", "1:raw:a",
                         "1:raw:a::", "1:raw:a,:", "1:raw:,a:", "1:raw:%61:", "1:raw:a%2:",
                         "1:raw:a%2c:", "1:raw:a b:", "1:RAW:a:", "1:raw:a:/x:"}) {
    CAPTURE(id);
    CHECK_FALSE(Recipe::FromId(id).has_value());
  }
}

}  // namespace idem::idempotency

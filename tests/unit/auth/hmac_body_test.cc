#include "proxy/auth/hmac_body.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "proxy/base/digest.h"
#include "proxy/base/hex.h"

namespace idem::auth {

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kBody = R"({"user_id":"u-1","amount":10})";

ClientOptions MakeClient(std::string id, const std::vector<std::string>& secrets) {
  ClientOptions client{std::move(id), {}};
  for (const std::string& secret : secrets) client.secrets.emplace_back(secret);
  return client;
}

std::string SignatureOf(std::string_view secret, std::string_view body = kBody) {
  return ToHex(HmacSha256(secret, body));
}

std::string Upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

SignedRequest Request(const http::Fields& fields) {
  return {.method = "POST", .target = "/orders", .fields = fields, .body = kBody};
}

// "client ID", "missing" or "invalid": what a table row can name.
std::string Ask(const Clients& clients, const Lines& lines, std::vector<std::string> allowed = {}) {
  AuthenticateOptions options;
  options.scheme = Scheme::kHmacBody;
  options.clients = std::move(allowed);
  http::Fields sent;
  for (const auto& [name, value] : lines) sent.Add(name, value);
  const AuthenticateResult result = Authenticate(options, clients, Request(sent), WallTime());
  if (const auto* who = std::get_if<AuthenticatedClient>(&result)) {
    return "client " + std::string(who->client_id);
  }
  REQUIRE_FALSE(std::holds_alternative<SignatureExpired>(result));
  return std::holds_alternative<SignatureMissing>(result) ? "missing" : "invalid";
}

const Clients& TwoClients() {
  static const Clients kClients = {MakeClient("default", {"new", "old"}),
                                   MakeClient("shop", {"shop secret"})};
  return kClients;
}

}  // namespace

TEST_CASE("a body is signed by one of the client's secrets, or the request is refused") {
  const std::string good = SignatureOf("new");
  std::string one_digit = good;
  one_digit[10] = one_digit[10] == '0' ? '1' : '0';
  struct Row {
    const char* what;
    Lines lines;
    const char* answer;
  };
  const std::vector<Row> rows = {
      {"no signature", {}, "missing"},
      {"no signature, but a name", {{"X-Client-Id", "shop"}}, "missing"},
      {"the first secret", {{"X-Signature", good}}, "client default"},
      {"the second secret", {{"x-signature", SignatureOf("old")}}, "client default"},
      {"upper-case digits", {{"X-Signature", Upper(good)}}, "client default"},
      {"one digit changed", {{"X-Signature", one_digit}}, "invalid"},
      {"another body", {{"X-Signature", SignatureOf("new", "x")}}, "invalid"},
      {"a secret of nobody", {{"X-Signature", SignatureOf("stolen")}}, "invalid"},
      {"an empty secret", {{"X-Signature", SignatureOf("")}}, "invalid"},
      {"nothing", {{"X-Signature", ""}}, "invalid"},
      {"a digit short", {{"X-Signature", good.substr(1)}}, "invalid"},
      {"a digit more", {{"X-Signature", good + "0"}}, "invalid"},
      {"no digits", {{"X-Signature", std::string(64, 'g')}}, "invalid"},
      {"two signatures", {{"X-Signature", good}, {"X-Signature", good}}, "invalid"},
      {"a named client",
       {{"X-Signature", SignatureOf("shop secret")}, {"X-Client-Id", "shop"}},
       "client shop"},
      {"a client by another's secret", {{"X-Signature", good}, {"X-Client-Id", "shop"}}, "invalid"},
      {"another's secret without a name", {{"X-Signature", SignatureOf("shop secret")}}, "invalid"},
      {"a client that does not exist", {{"X-Signature", good}, {"X-Client-Id", "till"}}, "invalid"},
      {"a client's name in another case",
       {{"X-Signature", good}, {"X-Client-Id", "Default"}},
       "invalid"},
      {"an empty name", {{"X-Signature", good}, {"X-Client-Id", ""}}, "invalid"},
      {"two names",
       {{"X-Signature", good}, {"X-Client-Id", "default"}, {"X-Client-Id", "default"}},
       "invalid"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(Ask(TwoClients(), row.lines) == row.answer);
  }
}

TEST_CASE("a caller without a name is the only client, or else the one named default") {
  const Clients only = {MakeClient("shop", {"s"})};
  const Clients none_is_default = {MakeClient("shop", {"s"}), MakeClient("till", {"t"})};
  const Lines by_shop = {{"X-Signature", SignatureOf("s")}};
  CHECK(Ask(only, by_shop) == "client shop");
  CHECK(Ask(none_is_default, by_shop) == "invalid");
  CHECK(Ask(none_is_default, by_shop, {"shop"}) == "client shop");
  CHECK(Ask({}, by_shop) == "invalid");
}

TEST_CASE("a client may use only the routes that name it, or that name nobody") {
  const Lines by_shop = {{"X-Signature", SignatureOf("shop secret")}, {"X-Client-Id", "shop"}};
  const Lines by_default = {{"X-Signature", SignatureOf("new")}, {"X-Client-Id", "default"}};
  CHECK(Ask(TwoClients(), by_shop, {"shop"}) == "client shop");
  CHECK(Ask(TwoClients(), by_shop, {"default"}) == "invalid");
  CHECK(Ask(TwoClients(), by_default, {"shop"}) == "invalid");
  CHECK(Ask(TwoClients(), by_default, {"shop", "default"}) == "client default");
}

TEST_CASE("the names of the fields are the route's") {
  AuthenticateOptions options;
  options.scheme = Scheme::kHmacBody;
  options.header = "Signature-256";
  options.client_header = "Caller";
  http::Fields sent;
  sent.Add("signature-256", SignatureOf("shop secret"));
  sent.Add("caller", "shop");
  const auto result = Authenticate(options, TwoClients(), Request(sent), WallTime());
  REQUIRE(std::holds_alternative<AuthenticatedClient>(result));
  CHECK(std::get<AuthenticatedClient>(result).client_id == "shop");
}

TEST_CASE("a client without secrets is nobody") {
  CHECK(Ask({MakeClient("shop", {})}, {{"X-Signature", SignatureOf("")}}) == "invalid");
}

TEST_CASE("what Sign() makes is accepted") {
  AuthenticateOptions options;
  options.scheme = Scheme::kHmacBody;
  for (const ClientOptions& client : TwoClients()) {
    const Result<http::Fields> fields = Sign(options, client, Request({}), WallTime());
    REQUIRE(fields.has_value());
    http::Fields sent;
    for (const http::FieldLine line : *fields) sent.Add(line.name, line.value);
    const auto result = Authenticate(options, TwoClients(), Request(sent), WallTime());
    REQUIRE(std::holds_alternative<AuthenticatedClient>(result));
    CHECK(std::get<AuthenticatedClient>(result).client_id == client.id);
  }
}

TEST_CASE("Sign() says why it cannot sign") {
  AuthenticateOptions options;
  options.scheme = Scheme::kHmacBody;
  CHECK_FALSE(Sign(options, MakeClient("shop", {}), Request({}), WallTime()).has_value());
  for (const Scheme scheme : {Scheme::kHmacTimestamp, Scheme::kHttpMessageSignatures}) {
    options.scheme = scheme;
    const auto fields = Sign(options, TwoClients()[0], Request({}), WallTime());
    REQUIRE_FALSE(fields.has_value());
    CHECK(fields.error().detail.find(SchemeName(scheme)) != std::string::npos);
  }
}

TEST_CASE("without a scheme every request passes, without a client") {
  const auto result = Authenticate({}, TwoClients(), Request({}), WallTime());
  REQUIRE(std::holds_alternative<AuthenticatedClient>(result));
  CHECK(std::get<AuthenticatedClient>(result).client_id.empty());
  const auto fields = Sign({}, TwoClients()[0], Request({}), WallTime());
  REQUIRE(fields.has_value());
  CHECK(fields->empty());
}

}  // namespace idem::auth

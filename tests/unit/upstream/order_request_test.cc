#include "upstream/order_request.h"

#include <doctest/doctest.h>

namespace idem::upstream {

namespace {

std::string Body(std::string_view user, std::string_view item, std::string_view amount) {
  return R"({"user_id":)" + std::string(user) + R"(,"item":)" + std::string(item) +
         R"(,"amount":)" + std::string(amount) + "}";
}

std::string WithAmount(std::string_view amount) { return Body(R"("u-1")", R"("book")", amount); }
std::string WithItem(std::string_view item) { return Body(R"("u-1")", item, "5"); }

}  // namespace

TEST_CASE("an order is read from JSON") {
  const auto order = ParseOrderRequest(
      R"( { "note": {"user_id": [1, {"user_id": 2}], "amount": "x"}, "user_id": "ü\u00e9\ud83d\ude00",
          "amount" : 0.10 , "item":"\"tea\"" , "extra": [null, true, 1e3, "\n"]} )");
  REQUIRE(order);
  CHECK(*order == OrderRequest{"üé😀", "\"tea\"", "0.10"});
}

TEST_CASE("amounts are exact from the wire") {
  struct Row {
    std::string_view number;
    std::string_view amount;
  };
  for (const Row& row : {
           Row{"5", "5"},
           Row{"0.10", "0.10"},
           Row{"1e2", "100"},
           Row{"1E+2", "100"},
           Row{"0.30000000000000004", "0.30000000000000004"},
           Row{"9007199254740993", "9007199254740993"},
           Row{"18446744073709551615", "18446744073709551615"},
           Row{"18446744073709551616", "18446744073709551616"},
           Row{"123456789012345678901234567890", "123456789012345678901234567890"},
           Row{"12345678901234567890.1234567890", "12345678901234567890.1234567890"},
       }) {
    CAPTURE(row.number);
    const auto order = ParseOrderRequest(WithAmount(row.number));
    REQUIRE(order);
    CHECK(order->amount == row.amount);
  }
}

TEST_CASE("what is no order is refused with a reason") {
  constexpr std::string_view kNotJson = "not valid JSON";
  constexpr std::string_view kDigits = "at most 30 digits";
  constexpr std::string_view kPositive = "amount must be greater than zero";
  constexpr std::string_view kLength = "must have 1 to 255 characters";
  struct Row {
    std::string body;
    std::string_view reason;
  };
  const Row rows[] = {
      {"", kNotJson},
      {" ", kNotJson},
      {"{", kNotJson},
      {R"({"user_id":"u","item":"i","amount":1,})", kNotJson},
      {WithAmount("5") + "x", kNotJson},
      {WithAmount("5") + WithAmount("5"), kNotJson},
      {WithAmount("NaN"), kNotJson},
      {WithAmount("Infinity"), kNotJson},
      {WithAmount("012"), kNotJson},
      {WithAmount(".5"), kNotJson},
      {WithAmount("5."), kNotJson},
      {WithAmount("+5"), kNotJson},
      {WithAmount("0x10"), kNotJson},
      {WithItem("\"\xff\""), kNotJson},
      {WithItem("\"\xc0\x80\""), kNotJson},
      {WithItem("\"\xed\xa0\x80\""), kNotJson},
      {WithItem(R"("\ud800")"), kNotJson},
      {WithItem("\"a\nb\""), kNotJson},
      {"[]", "must be a JSON object"},
      {"[" + WithAmount("5") + "]", "must be a JSON object"},
      {"null", "must be a JSON object"},
      {"5", "must be a JSON object"},
      {R"("text")", "must be a JSON object"},
      {"{}", "user_id is missing"},
      {R"({"user_id":"u"})", "item is missing"},
      {R"({"user_id":"u","item":"i"})", "amount is missing"},
      {R"({"USER_ID":"u","item":"i","amount":5})", "user_id is missing"},
      {WithAmount(R"("5")"), "amount must be a number"},
      {WithAmount("null"), "amount must be a number"},
      {WithAmount("true"), "amount must be a number"},
      {WithAmount("[5]"), "amount must be a number"},
      {WithAmount("{}"), "amount must be a number"},
      {WithAmount("0"), kPositive},
      {WithAmount("-0"), kPositive},
      {WithAmount("-0.0"), kPositive},
      {WithAmount("0.00"), kPositive},
      {WithAmount("0e5"), kPositive},
      {WithAmount("-1"), kPositive},
      {WithAmount("1234567890123456789012345678901"), kDigits},
      {WithAmount("0.000000000000000000000000000001"), kDigits},
      {WithAmount("1e30"), kDigits},
      {WithAmount("1e400"), kDigits},
      {WithAmount("1e-400"), kDigits},
      {Body("5", R"("i")", "5"), "user_id must be a string"},
      {Body("null", R"("i")", "5"), "user_id must be a string"},
      {Body(R"(["u"])", R"("i")", "5"), "user_id must be a string"},
      {WithItem("{}"), "item must be a string"},
      {WithItem("1.5"), "item must be a string"},
      {WithItem(R"("")"), kLength},
      {WithItem('"' + std::string(256, 'x') + '"'), kLength},
      {Body('"' + std::string(256, 'x') + '"', R"("i")", "5"), kLength},
      {WithItem(R"("a\u0000b")"), "\\u0000"},
      {R"({"user_id":"u","item":"i","amount":5,"note":"\u0000"})", "\\u0000"},
      {R"({"user_id":"u","item":"i","amount":5,"\u0000":1})", "\\u0000"},
      {R"({"user_id":"u","item":"i","amount":5,"amount":5})", "amount comes twice"},
      {R"({"user_id":"u","item":"i","amount":5,"user_\u0069d":"u"})", "user_id comes twice"},
      {R"({"user_id":"u","item":"i","amount":5,"x":1,"x":2})", "a member comes twice"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    const auto order = ParseOrderRequest(row.body);
    REQUIRE_FALSE(order);
    CHECK(order.error().code == ErrorCode::kInvalid);
    CHECK(order.error().detail.find(row.reason) != std::string::npos);
    CAPTURE(order.error().detail);
  }
}

TEST_CASE("the length of a text counts characters, not bytes") {
  std::string item = "\"";
  for (int i = 0; i < 255; ++i) item += "😀";
  const auto order = ParseOrderRequest(WithItem(item + '"'));
  REQUIRE(order);
  CHECK(order->item.size() == 4 * 255);
  CHECK_FALSE(ParseOrderRequest(WithItem(item + "x\"")));
}

TEST_CASE("deep nesting in what is ignored does no harm") {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK(ParseOrderRequest(R"({"user_id":"u","item":"i","amount":5,"x":)" + deep + "}"));
}

}  // namespace idem::upstream

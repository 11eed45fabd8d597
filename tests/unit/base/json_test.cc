#include "proxy/base/json.h"

#include <doctest/doctest.h>

#include <string>

namespace idem {

TEST_CASE("JSON reads into values that answer what they are asked, or nothing") {
  const auto json = JsonValue::Parse(
      R"({"text":"a\u00e9","whole":-7,"large":18446744073709551615,"half":0.5,"yes":true,)"
      R"("none":null,"list":[1,[2,"x"],{"deep":3}],"empty":{}})");
  REQUIRE(json.has_value());
  const JsonValue& object = *json;
  CHECK(object.members().size() == 8);
  CHECK(object["text"].text() == "a\xC3\xA9");
  CHECK(object["whole"].whole_number() == -7);
  CHECK_FALSE(object["large"].whole_number());
  CHECK_FALSE(object["half"].whole_number());
  CHECK(object["half"].kind() == JsonValue::Kind::kNumber);
  CHECK(object["yes"].flag() == true);
  CHECK(object["none"].kind() == JsonValue::Kind::kNull);
  REQUIRE(object["list"].items().size() == 3);
  CHECK(object["list"].items()[1].items()[1].text() == "x");
  CHECK(object["list"].items()[2]["deep"].whole_number() == 3);
  CHECK(object["empty"].kind() == JsonValue::Kind::kObject);
  CHECK_FALSE(object["whole"].text());
  CHECK_FALSE(object["text"].flag());
  CHECK(object["absent"]["deeper"].kind() == JsonValue::Kind::kNull);
}

TEST_CASE("what is not one JSON value, or lies too deep, is refused") {
  const std::string deep(JsonValue::kDepthMax, '[');
  REQUIRE(JsonValue::Parse(deep + std::string(JsonValue::kDepthMax, ']')).has_value());
  for (const std::string& text : {std::string(), std::string("{"), std::string("[1,]"),
                                  std::string("1 2"), std::string("\"\xFF\""), std::string("{1:2}"),
                                  '[' + deep + std::string(JsonValue::kDepthMax + 1, ']')}) {
    CAPTURE(text);
    CHECK_FALSE(JsonValue::Parse(text).has_value());
  }
}

}  // namespace idem

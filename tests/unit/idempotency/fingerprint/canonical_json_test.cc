#include "proxy/idempotency/fingerprint/canonical_json.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace idem::idempotency {

namespace {

std::string Canonical(std::string_view text, std::vector<std::string> ignore = {}) {
  std::string canonical = "before ";
  if (!AppendCanonicalJson(text, ignore, canonical)) {
    CHECK(canonical == "before ");
    return "refused";
  }
  return canonical.substr(std::string_view("before ").size());
}

std::string ReadVector(const std::string& path) {
  std::ifstream file(IDEM_TEST_DATA "/unit/idempotency/vectors/jcs/" + path);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Nested(int levels) {
  const auto count = static_cast<std::size_t>(levels);
  return std::string(count, '[') + std::string(count, ']');
}

}  // namespace

TEST_CASE("the vectors of RFC 8785 come out as printed there, but for a number beyond a double") {
  for (const std::string name : {"arrays", "french", "structures", "unicode", "values", "weird"}) {
    CAPTURE(name);
    std::string expected = ReadVector("output/" + name + ".json");
    // The RFC rounds to the nearest double; we keep every digit.
    if (const auto at = expected.find("333333333.3333333"); at != std::string::npos) {
      expected.replace(at, std::string_view("333333333.3333333").size(), "333333333.33333329");
    }
    CHECK(Canonical(ReadVector("input/" + name + ".json")) == expected);
    CHECK(Canonical(expected) == expected);
  }
}

TEST_CASE("what is not one JSON value with distinct names is refused") {
  struct Row {
    const char* what;
    std::string text;
  };
  const std::vector<Row> rows = {
      {"nothing", ""},
      {"blanks", " \n"},
      {"two values", "1 2"},
      {"a byte order mark", "\xEF\xBB\xBF{}"},
      {"a vertical tab as a blank", "\v1"},
      {"an open object", "{"},
      {"an open member", R"({"a")"},
      {"a member without a value", R"({"a":})"},
      {"a member without a name", "{1:2}"},
      {"a trailing comma", R"({"a":1,})"},
      {"a leading comma", R"({,"a":1})"},
      {"no comma", R"({"a":1 "b":2})"},
      {"an open array", "[1"},
      {"a trailing comma in an array", "[1,]"},
      {"the wrong bracket", "[1}"},
      {"a name twice", R"({"a":1,"b":2,"a":1})"},
      {"a name twice in two spellings", R"({"a":1,"\u0061":1})"},
      {"a name twice further in", R"([{"x":{"a":1,"a":1}}])"},
      {"half a word", "tru"},
      {"a word in capitals", "True"},
      {"not a number", "NaN"},
      {"a plus sign", "+1"},
      {"a leading zero", "01"},
      {"a minus alone", "-"},
      {"no digit after the point", "1."},
      {"no digit before the point", ".5"},
      {"no digit in the exponent", "1e+"},
      {"an exponent past counting", "1e99999999999999999999"},
      {"an open string", R"("a)"},
      {"a control in a string", "\"a\nb\""},
      {"an unknown escape", R"("\x")"},
      {"an escape cut short", "\"\\"},
      {"a code point cut short", R"("\u12)"},
      {"a code point with a sign", R"("\u-123")"},
      {"a lone high surrogate", R"("\ud800")"},
      {"a high surrogate before another letter", R"("\ud800\u0041")"},
      {"a lone low surrogate", R"("\udc00")"},
      {"an overlong form", "\"\xC0\xAF\""},
      {"a surrogate in UTF-8", "\"\xED\xA0\x80\""},
      {"bytes cut short", "\"\xE2\x82\""},
      {"one level too many", Nested(kJsonDepthMax + 1)},
      {"a comment", "1 // one"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(Canonical(row.text) == "refused");
  }
  CHECK(Canonical(Nested(kJsonDepthMax)) == Nested(kJsonDepthMax));
}

TEST_CASE("every truncation of a value is refused") {
  const std::string text = R"({"b":[1.5e3,true,null,"\ud83d\ude02"],"a":{}})";
  CHECK(Canonical(text) == "{\"a\":{},\"b\":[1500,true,null,\"\xF0\x9F\x98\x82\"]}");
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(Canonical(std::string_view(text).substr(0, size)) == "refused");
  }
}

TEST_CASE("names are ordered by UTF-16 code units") {
  CHECK(Canonical(
            "{\"\xEF\xAC\xB3\":1,\"\xF0\x9F\x98\x82\":2,\"\xED\x9F\xBF\":3,\"a\":4,\"aa\":5}") ==
        "{\"a\":4,\"aa\":5,\"\xED\x9F\xBF\":3,\"\xF0\x9F\x98\x82\":2,\"\xEF\xAC\xB3\":1}");
}

TEST_CASE("strings have one spelling") {
  CHECK(Canonical(R"("\u0000\u0008\u0009\u000A\u000c\u000d\u001F\u007f\/\"\\\u00e9")") ==
        "\"\\u0000\\b\\t\\n\\f\\r\\u001f\x7f/\\\"\\\\\xC3\xA9\"");
}

TEST_CASE("a number is the exact decimal that its text names") {
  struct Row {
    const char* text;
    const char* canonical;
  };
  const Row rows[] = {
      {"0", "0"},
      {"-0", "0"},
      {"0.000e5", "0"},
      {"-1", "-1"},
      {"10", "10"},
      {"0.10", "0.1"},
      {"1e2", "100"},
      {"1E+2", "100"},
      {"120e-1", "12"},
      {"123.4500", "123.45"},
      {"0.1000000000000000055", "0.1000000000000000055"},
      {"12345678901234567890.125", "12345678901234567890.125"},
      {"100000000000000000000", "100000000000000000000"},
      {"1000000000000000000000", "1e+21"},
      {"1234e20", "1.234e+23"},
      {"0.000001", "0.000001"},
      {"0.0000001", "1e-7"},
      {"-0.00000012", "-1.2e-7"},
      {"1e1000000000000", "1e+1000000000000"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(Canonical(row.text) == row.canonical);
    CHECK(Canonical(row.canonical) == row.canonical);
  }
}

TEST_CASE("what an ignored pointer names is left out") {
  struct Row {
    const char* text;
    std::vector<std::string> ignore;
    const char* canonical;
  };
  const std::vector<Row> rows = {
      {R"({"a":1,"b":2})", {"/a"}, R"({"b":2})"},
      {R"({"a":1})", {"/a"}, "{}"},
      {R"({"a":1,"b":2})", {"/c", "/a/b"}, R"({"a":1,"b":2})"},
      {R"({"a":{"b":1,"c":2}})", {"/a/b"}, R"({"a":{"c":2}})"},
      {R"({"a":{"b":1}})", {"/a/b", "/a"}, "{}"},
      {R"([1,2,3])", {"/0", "/2"}, "[2]"},
      {R"([1,2,3])", {"/01", "/-"}, "[1,2,3]"},
      {R"([{"a":1},{"a":1}])", {"/1/a"}, R"([{"a":1},{}])"},
      {R"({"a/b":1,"m~n":2,"":3,"c":4})", {"/a~1b", "/m~0n", "/"}, R"({"c":4})"},
      {R"({"a":1,"a":2,"b":3})", {"/a"}, "refused"},
      {R"({"a":nul})", {"/a"}, "refused"},
      {"1", {"/a"}, "1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(Canonical(row.text, row.ignore) == row.canonical);
  }
}

TEST_CASE("a JSON pointer names something inside a document") {
  for (const char* text : {"/", "/a", "/a/0", "/a~0b~1c", "//"}) CHECK(IsJsonPointer(text));
  for (const char* text : {"", "a", "a/b", "/a~", "/a~2"}) CHECK_FALSE(IsJsonPointer(text));
}

}  // namespace idem::idempotency

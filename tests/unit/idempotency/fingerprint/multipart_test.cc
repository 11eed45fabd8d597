#include "proxy/idempotency/fingerprint/multipart.h"

#include <doctest/doctest.h>

#include <string>

namespace idem::idempotency {

namespace {

std::string Form(const std::string& boundary, const std::string& value) {
  return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n" + value +
         "\r\n--" + boundary + "\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n\r\n--" +
         boundary + "--\r\n";
}

std::string PartsOf(const std::string& boundary, const std::string& body) {
  std::string parts;
  return AppendParts(boundary, body, parts) ? parts : "(not read)";
}

}  // namespace

TEST_CASE("a multipart type gives its boundary, and the rest without it") {
  struct Row {
    const char* value;
    const char* boundary;
    const char* rest;
  };
  const Row rows[] = {
      {"multipart/form-data; boundary=b-1", "b-1", "multipart/form-data;"},
      {"Multipart/Form-Data;BOUNDARY=\"b 1\"; charset=utf-8", "b 1",
       "Multipart/Form-Data;charset=utf-8;"},
      {"multipart/mixed; name=\"; boundary=x\"; boundary=y", "y",
       "multipart/mixed;name=\"; boundary=x\";"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    const auto type = ReadMultipartType(row.value);
    REQUIRE(type.has_value());
    CHECK(type->boundary == row.boundary);
    CHECK(type->rest == row.rest);
  }
}

TEST_CASE("what is no multipart type, or can be read in two ways, counts as it is") {
  for (const std::string value :
       {"", "application/json", "multipart/form-data", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b", "multipart/form-data; boundary=\"a\\\"b\"",
        "multipart/form-data; boundary=a\"", "multipart/form-data; boundary = a",
        "multipart/form-data; boundary=\"a \"", "text/plain; boundary=a"}) {
    CAPTURE(value);
    CHECK_FALSE(ReadMultipartType(value).has_value());
  }
  CHECK_FALSE(ReadMultipartType("multipart/x; boundary=" + std::string(71, 'a')).has_value());
}

TEST_CASE("the same parts are the same under every boundary") {
  const std::string parts = PartsOf("b1", Form("b1", "10"));
  CHECK(parts == PartsOf("other", Form("other", "10")));
  CHECK(parts != PartsOf("b1", Form("b1", "11")));
  CHECK(parts != "(not read)");
}

TEST_CASE("a body that is not exactly parts counts as it is") {
  const std::string good = Form("b", "10");
  for (const std::string& body :
       {std::string(), "x" + good, "\r\n" + good, good + "x", good.substr(0, good.size() - 4),
        std::string("--b"), std::string("--bx\r\n\r\n--b--"), std::string("--b \r\n\r\n--b--"),
        std::string("--b\r\nx\r\n--bb\r\n--b--")}) {
    CAPTURE(body);
    CHECK(PartsOf("b", body) == "(not read)");
  }
  CHECK(PartsOf("b", good.substr(0, good.size() - 2)) == PartsOf("b", good));
}

TEST_CASE("two parts do not run together into one") {
  CHECK(PartsOf("b", "--b\r\nx\r\n--b\r\ny\r\n--b--") != PartsOf("b", "--b\r\nxy\r\n--b--"));
  CHECK(PartsOf("b", "--b\r\n\r\n--b\r\nxy\r\n--b--") !=
        PartsOf("b", "--b\r\nxy\r\n--b\r\n\r\n--b--"));
}

}  // namespace idem::idempotency

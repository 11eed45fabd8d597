#include "proxy/idempotency/fingerprint/content_coding.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/gzip.h"

namespace idem::idempotency {

namespace {

using support::Gzip;

std::string DecodedOf(std::string_view coding, const std::string& body) {
  std::string decoded;
  return AppendDecoded(coding, body, decoded) ? decoded : "(not read)";
}

}  // namespace

TEST_CASE("another gzip stream of the same bytes decodes to the same") {
  const std::string text = R"({"amount":10})";
  CHECK(Gzip(text, 1, 1) != Gzip(text, 9, 2));
  for (const char* coding : {"gzip", "x-gzip", "GZip", "deflate"}) {
    CHECK(DecodedOf(coding, Gzip(text, 1, 1)) == text);
  }
  CHECK(DecodedOf("gzip", Gzip(text, 9, 2)) == text);
  CHECK(DecodedOf("gzip", Gzip("", 6, 0)).empty());
}

TEST_CASE("what does not decode, or not to its end, counts as it is") {
  const std::string good = Gzip("text", 6, 0);
  CHECK(DecodedOf("br", good) == "(not read)");
  CHECK(DecodedOf("gzip, gzip", good) == "(not read)");
  CHECK(DecodedOf("", good) == "(not read)");
  CHECK(DecodedOf("gzip", good + "x") == "(not read)");
  CHECK(DecodedOf("gzip", good + good) == "(not read)");
  CHECK(DecodedOf("gzip", "text") == "(not read)");
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(DecodedOf("gzip", good.substr(0, size)) == "(not read)");
  }
}

TEST_CASE("a bomb is not decoded") {
  const std::string small(64 * 1024, 'a');
  CHECK(DecodedOf("gzip", Gzip(small, 9, 0)) == small);
  CHECK(DecodedOf("gzip", Gzip(std::string(10 * 1024 * 1024, 'a'), 9, 0)) == "(not read)");
}

}  // namespace idem::idempotency

#include "proxy/libpq/statement.h"

#include <doctest/doctest.h>

namespace idem::libpq {

TEST_CASE("an array travels in PostgreSQL's binary form") {
  using namespace std::string_view_literals;
  Array texts(Array::Of::kText);
  texts.Add("a\"b");
  texts.AddNull();
  texts.Add("");
  const Parameter parameter = std::move(texts).Take();
  CHECK(parameter.binary);
  CHECK(parameter.type == 1009);
  CHECK(parameter.bytes ==
        "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1"
        "\0\0\0\3a\"b\xff\xff\xff\xff\0\0\0\0"sv);
}

TEST_CASE("an empty array has no dimension") {
  using namespace std::string_view_literals;
  CHECK(Array(Array::Of::kInt64).Take().bytes == "\0\0\0\0\0\0\0\0\0\0\0\x14"sv);
}

}  // namespace idem::libpq

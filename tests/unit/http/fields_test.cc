#include "proxy/http/fields.h"

#include <doctest/doctest.h>

#include "tests/unit/http/recorder.h"

namespace idem::http {

TEST_CASE("field lines keep their order, their spelling and their duplicates") {
  Fields fields;
  fields.Add("X-Dup", "one");
  fields.Add("Other", "o");
  fields.Add("x-dup", "");
  CHECK(Describe(fields) == "|X-Dup=one|Other=o|x-dup=");
  CHECK(fields.Count("X-DUP") == 2);
  CHECK(fields.Find("x-DUP") == "one");
  CHECK_FALSE(fields.Find("X-Du").has_value());
  fields.Set("X-dup", "new");
  CHECK(Describe(fields) == "|Other=o|X-dup=new");
  fields.Clear();
  CHECK(fields.empty());
}

TEST_CASE("a value of the same fields may be added again") {
  Fields fields;
  fields.Add("A", "0123456789");
  for (int i = 0; i < 100; ++i) fields.Add(fields[0].name, *fields.Find("a"));
  CHECK(fields.size() == 101);
  for (const FieldLine line : fields) CHECK(line.value == "0123456789");
}

TEST_CASE("a token is looked for in every line of a list") {
  Fields fields;
  fields.Add("Connection", " keep-alive ,, X-Hop\t");
  fields.Add("connection", "Close");
  CHECK(fields.HasToken("CONNECTION", "x-hop"));
  CHECK(fields.HasToken("Connection", "close"));
  CHECK(fields.HasToken("Connection", "Keep-Alive"));
  CHECK_FALSE(fields.HasToken("Connection", "hop"));
  CHECK_FALSE(fields.HasToken("Connection", ""));
}

}  // namespace idem::http

#include "proxy/http/problem.h"

#include <doctest/doctest.h>

namespace idem::http {

TEST_CASE("a problem names its type, and what a program may do next") {
  std::string text;
  AppendProblem({.status = 400,
                 .name = "key-missing",
                 .title = {},
                 .detail = "a \"key\"",
                 .request_id = "r-1",
                 .retry = "new-key",
                 .executed_status = {}},
                text);
  CHECK(text == R"({"type":"urn:idemproxy:problem:key-missing","title":"Key missing","status":400,)"
                R"("detail":"a \"key\"","request_id":"r-1","retry":"new-key"})");
}

TEST_CASE("a problem leaves out what there is not, and tells the status of what was executed") {
  std::string text;
  AppendProblem({.status = 409,
                 .name = "response-not-kept",
                 .title = "T",
                 .detail = {},
                 .request_id = {},
                 .retry = {},
                 .executed_status = 201},
                text);
  CHECK(text == R"({"type":"urn:idemproxy:problem:response-not-kept","title":"T","status":409,)"
                R"("executed_status":201})");
}

}  // namespace idem::http

#include "proxy/http/problem.h"

#include <doctest/doctest.h>

namespace idem::http {

TEST_CASE("a problem is one JSON object with the members that it has") {
  std::string text;
  AppendProblem({.status = 409,
                 .name = "response-not-kept",
                 .title = {},
                 .detail = "a \"quoted\" word",
                 .request_id = "r-1",
                 .retry = "never",
                 .executed_status = std::uint16_t{201}},
                text);
  CHECK(text ==
        "{\"type\":\"urn:idemproxy:problem:response-not-kept\",\"title\":\"Response not kept\","
        "\"status\":409,\"detail\":\"a \\\"quoted\\\" word\",\"request_id\":\"r-1\","
        "\"retry\":\"never\",\"executed_status\":201}");
  text.clear();
  AppendProblem({.status = 400,
                 .name = "bad-request",
                 .title = "T",
                 .detail = {},
                 .request_id = {},
                 .retry = {},
                 .executed_status = {}},
                text);
  CHECK(text == "{\"type\":\"urn:idemproxy:problem:bad-request\",\"title\":\"T\",\"status\":400}");
}

}  // namespace idem::http

// `mode: observe` of the built proxy: the reports that a team sees before it enforces.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"

namespace idem::support {

TEST_CASE("a route that observes forwards everything, and reports what it would have done") {
  support::ScriptedBackend backend(support::Always(support::Response(201, "made")));
  const TempFolder folder;
  const auto route = [&](const std::string& mode) {
    return "workers: 2\nstore: { type: embedded, timeout: 20s, path: " + folder.path() +
           "/db }\nroutes: [{ path: /orders, upstream: \"http://" + backend.address() +
           "\", idempotency: { mode: " + mode + " } }]\n";
  };
  RunningProxy proxy(route("observe"));
  const auto post = [](const RunningProxy& to, const std::string& body) {
    return AskOnce(to.port(), "POST", "/orders", {{"Idempotency-Key", "k-1"}}, body);
  };
  int reached = 0;
  for (const auto& [body, would] :
       {std::pair("{}", "executed"), std::pair("{}", "replayed"), std::pair("[]", "mismatch")}) {
    CAPTURE(would);
    const auto answer = post(proxy, body);
    CHECK(answer.status == 201);
    CHECK(answer.Count("Idempotent-Replayed") == 0);
    CHECK(backend.requests() == ++reached);
    proxy.process().WaitForLine("\"would\":\"" + std::string(would) + "\"");
  }
  const auto metrics = AskOnce(proxy.admin_port(), "GET", "/metrics").body;
  CHECK(metrics.find("idemproxy_observed_total{route=\"/orders\",would=\"replayed\"} 1") !=
        std::string::npos);

  CHECK(proxy.Stop() == 0);
  const RunningProxy enforcing(route("enforce"));
  CHECK(post(enforcing, "{}").Count("Idempotent-Replayed") == 0);  // the first that counts
  CHECK(post(enforcing, "{}").Field("Idempotent-Replayed") == "true");
  CHECK(backend.requests() == ++reached);
}

}  // namespace idem::support

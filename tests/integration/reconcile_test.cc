// The proxy settles an unknown outcome: the built proxy in front of the built order service, which
// drops no duplicates and can be queried.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "tests/support/postgres_server.h"
#include "tests/support/running_proxy.h"

namespace idem::support {

namespace {

constexpr std::string_view kOrder = R"({"user_id":"u-1","item":"tea","amount":12.50})";

HttpResponse Post(const RunningProxy& proxy, const std::string& key) {
  return AskOnce(proxy.port(), "POST", "/orders",
                 {{"Idempotency-Key", key}, {"Content-Type", "application/json"}}, kOrder);
}

// Repeats the request while the answer is `same-key` with Retry-After.
HttpResponse PostUntilFinal(const RunningProxy& proxy, const std::string& key) {
  for (int tries = 0; tries < 20; ++tries) {
    auto answer = Post(proxy, key);
    const std::string pause = answer.Field("Retry-After");
    if (pause.empty()) return answer;
    std::this_thread::sleep_for(std::chrono::seconds(std::stoi(pause)));
  }
  throw std::runtime_error("no final answer");
}

}  // namespace

TEST_CASE("an order whose answer was lost is found at the backend, and not made again") {
  TestDatabase database;
  auto orders = Process::Start({BuiltProgram("orders"),
                                {"--listen", "127.0.0.1:0", "--database", database.url(),
                                 "--legacy", "--fail", "hang-after-commit"},
                                {}});
  const std::string line = orders.WaitForLine(R"("event":"listening")");
  constexpr std::string_view kBefore = R"("address":")";
  const std::size_t begin = line.find(kBefore) + kBefore.size();
  const std::string address = line.substr(begin, line.find('"', begin) - begin);

  // Every wait is short, so the lease is little more than its margin of 5 s.
  RunningProxy proxy(
      "store: { type: memory, timeout: 100ms }\n"
      "upstreams: { orders: { url: \"http://" +
      address +
      "\", connect_timeout: 100ms, response_timeout: 300ms, queue_timeout: 0ms } }\n"
      "routes:\n"
      "  - path: /orders\n"
      "    upstream: orders\n"
      "    idempotency:\n"
      "      record_timeout: 100ms\n"
      "      reconcile: { get: \"/orders?idempotency_key={key}\", found: 201, found_when: "
      "/order/id, after: 100ms, interval: 1s }\n");

  const auto lost = Post(proxy, "k;1");
  CHECK(lost.status == 504);
  CHECK(lost.body.find("\"same-key\"") != std::string::npos);
  CHECK(std::stoi(lost.Field("Retry-After")) >= 5);

  const auto found = PostUntilFinal(proxy, "k;1");
  CHECK(found.status == 201);
  CHECK(found.Field("Idempotent-Replayed") == "true");
  CHECK(found.body.starts_with(R"({"order":{"id":")"));
  const auto replay = Post(proxy, "k;1");
  CHECK(replay.status == 201);
  CHECK(replay.body == found.body);
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "1");

  const auto metrics = AskOnce(proxy.admin_port(), "GET", "/metrics").body;
  CHECK(metrics.find("idemproxy_look_ups_total{result=\"found\",route=\"/orders\"} 1") !=
        std::string::npos);
  CHECK(metrics.find("decision=\"reconciled\"") != std::string::npos);
  proxy.process().WaitForLine("\"decision\":\"reconciled\"");
}

}  // namespace idem::support

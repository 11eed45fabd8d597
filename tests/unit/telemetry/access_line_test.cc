#include "proxy/telemetry/access_line.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace idem::telemetry {

namespace {

using std::chrono::microseconds;

AccessLine FullLine() {
  AccessLine line;
  line.request_id = "r-1";
  line.route = "orders";
  line.client = "shop";
  line.method = "POST";
  line.path = "/orders/\"\xFF";
  line.status = 201;
  line.verdict = RequestDecision::kExecuted;
  line.problem = "none";
  line.key_hash = "ba7816bf8f01cfea";
  line.address = "192.0.2.1";
  line.upstream_address = "127.0.0.1:9000";
  line.protocol = "HTTP/1.1";
  line.bytes_in = 50;
  line.bytes_out = 204;
  line.total = microseconds(1234);
  line.auth = microseconds(2);
  line.limit = microseconds(3);
  line.store = microseconds(400);
  line.upstream = std::chrono::nanoseconds(800'999);
  line.upstream_status = 201;
  return line;
}

std::string Render(const AccessLine& line, log::Format format) {
  std::string text;
  AppendAccessLine(line, format, text);
  return text;
}

}  // namespace

TEST_CASE("a line has every member that an operator reads") {
  CHECK(Render(FullLine(), log::Format::kJson) ==
        R"("event":"request","request_id":"r-1","route":"orders","client":"shop","method":"POST",)"
        "\"path\":\"/orders/\\\"\xEF\xBF\xBD\","
        R"("status":201,"decision":"executed","problem":"none","key_hash":"ba7816bf8f01cfea",)"
        R"("address":"192.0.2.1","upstream_address":"127.0.0.1:9000","protocol":"HTTP/1.1",)"
        R"("bytes_in":50,"bytes_out":204,"duration_us":1234,"auth_us":2,"limit_us":3,)"
        R"("store_us":400,"upstream_us":800,"upstream_status":201)");
}

TEST_CASE("a route that observes logs what enforcing would have done") {
  AccessLine line = FullLine();
  line.would = "replayed";
  CHECK(Render(line, log::Format::kJson) ==
        Render(FullLine(), log::Format::kJson) + R"(,"would":"replayed")");
}

TEST_CASE("what there is not is null, and the members stay the same") {
  CHECK(Render({}, log::Format::kJson) ==
        R"("event":"request","request_id":null,"route":null,"client":null,"method":null,)"
        R"("path":null,"status":null,"decision":"failed","problem":null,"key_hash":null,)"
        R"("address":null,"upstream_address":null,"protocol":null,"bytes_in":0,"bytes_out":0,)"
        R"("duration_us":0,"auth_us":0,"limit_us":0,"store_us":0,"upstream_us":0,)"
        R"("upstream_status":null)");
}

TEST_CASE("as text a line leaves out what there is not") {
  AccessLine line;
  line.request_id = "r-1";
  line.path = "/a b";
  line.status = 404;
  line.verdict = RequestDecision::kRefused;
  line.problem = "no-route";
  CHECK(Render(line, log::Format::kText) ==
        R"(request request_id="r-1" path="/a b" status=404 decision="refused" problem="no-route" )"
        "bytes_in=0 bytes_out=0 duration_us=0 auth_us=0 limit_us=0 store_us=0 upstream_us=0");
}

TEST_CASE("every decision has its word") {
  const char* words[kDecisions] = {"executed",   "replayed", "mismatch", "in_progress", "unknown",
                                   "reconciled", "passed",   "refused",  "failed"};
  for (std::size_t i = 0; i < kDecisions; ++i) {
    CHECK(DecisionText(static_cast<RequestDecision>(i)) == words[i]);
  }
}

TEST_CASE("a warm buffer is not allocated again") {
  std::string text = Render(FullLine(), log::Format::kJson);
  const auto* const data = text.data();
  text.clear();
  AppendAccessLine(FullLine(), log::Format::kJson, text);
  CHECK(text.data() == data);
}

}  // namespace idem::telemetry

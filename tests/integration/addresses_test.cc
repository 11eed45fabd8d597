// Addresses of callers and backends: IPv6, and the caller that a trusted proxy in front reports.
#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"
#include "tests/support/temp_folder.h"

namespace idem::support {

namespace {

using support::Always;
using support::Response;
using support::ScriptedBackend;

std::string Yaml(const std::string& top, const std::string& upstream,
                 const std::string& route = "") {
  return top + "store: { type: memory }\nworkers: 1\nroutes:\n  - path: /orders\n    upstream: " +
         "'http://" + upstream + "'\n" + route;
}

// Returns the status of a GET with these field lines, sent by curl.
std::string Curl(const std::string& url, const std::vector<std::string>& fields = {}) {
  std::vector<std::string> arguments = {"-sS", "-o", "/dev/null", "-w", "%{http_code}", url};
  for (const std::string& field : fields) arguments.insert(arguments.end(), {"-H", field});
  Process curl = Process::Start({"curl", std::move(arguments), {}});
  curl.WaitForExit();
  return curl.output();
}

}  // namespace

TEST_CASE("IPv6 works on a listener and towards a backend, and is limited by its /64") {
  ScriptedBackend backend(Always(Response(200, "made")));
  RunningProxy behind(Yaml("listen: '[::1]:0'\ntrusted_proxies: ['::1']\n", backend.address(),
                           "    rate_limit: { requests: 2, per: 10m }\n"));
  const std::string v6 = "[::1]:" + std::to_string(behind.port());
  RunningProxy before(Yaml("", v6));
  CHECK(AskOnce(before.port(), "GET", "/orders").status == 200);
  REQUIRE(backend.requests() == 1);
  CHECK(backend.seen()[0].Field("X-Forwarded-For") == "127.0.0.1, ::1");

  const std::string url = "http://" + v6 + "/orders";
  CHECK(Curl(url, {"X-Forwarded-For: 2001:db8::1"}) == "200");
  CHECK(Curl(url, {"X-Forwarded-For: 2001:db8::2"}) == "200");
  CHECK(Curl(url, {"X-Forwarded-For: 2001:db8::3:3"}) == "429");  // the third of its network
  CHECK(Curl(url, {"X-Forwarded-For: 2001:db8:0:1::1"}) == "200");
  CHECK(Curl(url) == "200");  // ::1 itself
}

TEST_CASE("Unix sockets work on a listener and towards a backend") {
  const TempFolder folder;
  const std::string mine = folder.path() + "/proxy.sock";
  ScriptedBackend backend(Always(Response(201, "made")),
                          {.unix_path = folder.path() + "/backend.sock",
                           .script_before_body = false,
                           .greeting = {},
                           .receive_buffer_bytes = 0});
  RunningProxy proxy(Yaml("listen: [ '127.0.0.1:0', 'unix:" + mine + "' ]\n", backend.address(),
                          "    idempotency: {}\n"));
  const auto post = [&](const std::string& key) {
    Process curl =
        Process::Start({"curl",
                        {"-sS", "-i", "--unix-socket", mine, "-H", "Idempotency-Key: " + key, "-d",
                         "{}", "http://shop.example/orders"},
                        {}});
    curl.WaitForExit();
    return curl.output();
  };
  CHECK(post("k-1").find("HTTP/1.1 201 ") == 0);
  CHECK(post("k-1").find("Idempotent-Replayed: true") != std::string::npos);
  REQUIRE(backend.requests() == 1);
  CHECK(backend.seen()[0].Field("Host") == "shop.example");
  CHECK(AskOnce(proxy.port(), "POST", "/orders", {{"Idempotency-Key", "k-2"}}, "{}").status == 201);
  proxy.process().WaitForLine("\"upstream_address\":\"" + backend.address() + "\"");

  // The backend is back on the same path, and the claim was released meanwhile.
  REQUIRE(unlink((folder.path() + "/backend.sock").c_str()) == 0);
  backend.CloseConnections();
  CHECK(post("k-3").find("upstream-unreachable") != std::string::npos);
  ScriptedBackend next(Always(Response(201, "next")), {.unix_path = folder.path() + "/backend.sock",
                                                       .script_before_body = false,
                                                       .greeting = {},
                                                       .receive_buffer_bytes = 0});
  CHECK(post("k-3").find("HTTP/1.1 201 ") == 0);
  CHECK(next.requests() == 1);
  CHECK(proxy.Stop() == 0);
  CHECK(access(mine.c_str(), F_OK) != 0);  // its own socket was removed with it
}

TEST_CASE("what a trusted proxy says of its caller is believed and passed on") {
  struct Case {
    const char* what;
    std::string trusted;
    std::string chain;  // X-Forwarded-For as the backend gets it
    std::string scheme;
    std::string host;
    std::string address;  // the address that the rate limit counts
  };
  const std::string chain = "198.51.100.7, 192.0.2.1, 10.0.0.9";
  for (const Case& one : {Case{"nobody", "[]", chain + ", 127.0.0.1", "http", "h", "127.0.0.1"},
                          Case{"the peer", "[127.0.0.0/8]", chain + ", 127.0.0.1", "https",
                               "shop.example", "10.0.0.9"},
                          Case{"the peer and one more", "[127.0.0.0/8, 10.0.0.0/8]",
                               chain + ", 127.0.0.1", "https", "shop.example", "192.0.2.1"}}) {
    CAPTURE(one.what);
    ScriptedBackend backend(Always(Response(200, "made")));
    RunningProxy proxy(Yaml("trusted_proxies: " + one.trusted + "\n", backend.address(),
                            "    rate_limit: { requests: 1, per: 10m }\n"));
    const auto ask = [&](const std::string& forwarded_for) {
      HttpClient client(proxy.port());
      client.Send("GET /orders HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: " + forwarded_for +
                  "\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n\r\n");
      return client.ReadResponse().status;
    };
    CHECK(ask(chain) == 200);
    const auto seen = backend.seen().at(0);
    CHECK(seen.Field("X-Forwarded-For") == one.chain);
    CHECK(seen.Field("X-Forwarded-Proto") == one.scheme);
    CHECK(seen.Field("X-Forwarded-Host") == one.host);
    // The same caller is counted again when it comes through another proxy.
    const std::string again = one.address == "127.0.0.1" ? "203.0.113.5" : one.address;
    CHECK(ask(again) == 429);
    if (one.address != "127.0.0.1") CHECK(ask("203.0.113.5") == 200);
  }
}

}  // namespace idem::support

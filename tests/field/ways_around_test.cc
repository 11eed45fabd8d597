// Ways around a protected route that real backends leave open: what twenty servers take to the
// handler of `/v1/pay`, run through the built proxy with a catch-all to the same backend.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"

namespace idem::support {

namespace {

class World {
 public:
  explicit World(const std::string& more = {}, const std::string& rest = {})
      : proxy_(
            "workers: 1\nstore: { type: memory, timeout: 20s }\nupstreams: { pay: { url: "
            "\"http://" +
            backend.address() +
            "\" } }\nroutes:\n  - { path: /v1/pay, upstream: pay, idempotency: {}" + more +
            " }\n  - { path_prefix: /, upstream: pay" + rest + " }\n") {}

  HttpResponse Ask(const std::string& target, const FieldList& fields = {},
                   const std::string& method = "POST") {
    return AskOnce(proxy_.port(), method, target, fields, "{}");
  }

  ScriptedBackend backend{Always(Response(201, "made"))};

 private:
  RunningProxy proxy_;
};

}  // namespace

TEST_CASE("express, koa, Spring, Tomcat, Jetty, Caddy and Apache: no other spelling reaches it") {
  World world;
  for (const char* target : {"/v1/pay/",
                             "/v1/pay//",
                             "/v1/pay/.",
                             "/v1/pay/..;/pay",
                             "/v1/pay;v=1",
                             "/v1/pay;",
                             "/v1;x/pay",
                             "/;x/v1/pay",
                             "/x/..;/v1/pay",
                             "/v1/x/..;/pay",
                             "/v1/Pay",
                             "/V1/pay",
                             "/V1/PAY",
                             "/v1/pay.json",
                             "/v1/pay.php",
                             "/v1/pay%20",
                             "/v1/pay.",
                             "/v1/%2570ay",
                             "/v1%252fpay",
                             "/v1/pay%23x",
                             "/public/%2e%2e;/v1/pay",
                             "/public/..%3b/v1/pay",
                             "/v1/%2e/pay",
                             "/v1/%70ay",
                             "//v1/pay",
                             "/v1%2fpay",
                             "/v1%5cpay",
                             "/v1/pay/?x=1"}) {
    CAPTURE(target);
    const auto answer = world.Ask(target);
    CHECK(answer.status == 400);
    CHECK(answer.body.find("bad-request") != std::string::npos);
  }
  CHECK(world.backend.requests() == 0);
  CHECK(world.Ask("/v1/pay", {}, "post").status == 400);  // Flask and Django: upper case
  CHECK(world.backend.requests() == 0);
  CHECK(world.Ask("/v1/pay", {{"Idempotency-Key", "k-1"}}).status == 201);
  CHECK(world.Ask("/v1/pay/7/refund").status == 201);
  CHECK(world.Ask("/V1/pay", {}, "GET").status == 201);
  CHECK(world.backend.requests() == 3);
}

TEST_CASE("the owner's word lets a spelling pass") {
  World world(", strict_paths: false");
  CHECK(world.Ask("/v1/pay/").status == 201);
  CHECK(world.backend.requests() == 1);
}

TEST_CASE("Rack, Symfony and Spring: no field makes another method of it") {
  World world;
  for (const char* name :
       {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X_HTTP_Method_Override"}) {
    CAPTURE(name);
    const auto answer = world.Ask("/v1/other", {{name, "PUT"}});
    CHECK(answer.status == 400);
    CHECK(answer.body.find("ethod") != std::string::npos);
  }
  CHECK(world.Ask("/v1/other?_method=DELETE").status == 400);
  CHECK(world.Ask("/v1/other?a=b&%5Fmethod=put").status == 400);
  CHECK(world.backend.requests() == 0);
  CHECK(world.Ask("/v1/other", {{"X-HTTP-Method-Override", "POST"}}).status == 201);
  CHECK(world.backend.seen().back().Field("X-HTTP-Method-Override").empty());
}

TEST_CASE("IIS and Symfony: no field makes another path of it") {
  World world;
  for (const char* name : {"X-Original-URL", "X-Rewrite-URL", "X_Original_URL"}) {
    CAPTURE(name);
    CHECK(world.Ask("/v1/other", {{name, "/v1/pay"}}).status == 201);
    CHECK(world.backend.seen().back().Field(name).empty());
  }
}

TEST_CASE("a field that the owner allows by name passes") {
  World world({}, ", override_fields: [X-HTTP-Method-Override, X-Original-URL]");
  CHECK(world.Ask("/v1/other", {{"X-HTTP-Method-Override", "PUT"}, {"X-Original-URL", "/x"}})
            .status == 201);
  CHECK(world.backend.seen().back().Field("X-HTTP-Method-Override") == "PUT");
  CHECK(world.backend.seen().back().Field("X-Original-URL") == "/x");
}

TEST_CASE("CGI: no caller sets the proxy of the backend's own requests") {
  World world;
  CHECK(world.Ask("/v1/other", {{"Proxy", "http://attacker"}}).status == 201);
  CHECK(world.backend.seen().back().Field("Proxy").empty());
}

TEST_CASE("a caller does not name itself to the backend, behind a trusted proxy neither") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const RunningProxy proxy(
      "workers: 1\ntrusted_proxies: [127.0.0.1/32]\nstore: { type: memory }\nroutes: [{ "
      "path_prefix: /, upstream: \"http://" +
      backend.address() + "\" }]\n");
  for (const char* name : {"X-Client-Id", "x_client_id"}) {
    CAPTURE(name);
    CHECK(AskOnce(proxy.port(), "POST", "/x", {{name, "shop"}}, "{}").status == 201);
    CHECK(backend.seen().back().Field(name).empty());
  }
}

TEST_CASE("a missing discriminator is no bucket that all callers share") {
  const std::string scope = ", idempotency: { scope: [header:X-Tenant] }";
  ScriptedBackend backend(Always(Response(201, "made")));
  const RunningProxy proxy(
      "workers: 1\nstore: { type: memory }\nroutes:\n"
      "  - { path: /pay, upstream: \"http://" +
      backend.address() + "\"" + scope + " }\n  - { path: /limited, upstream: \"http://" +
      backend.address() + "\", rate_limit: { requests: 5, per: 1m, by: header:X-Tenant } }\n");
  const auto ask = [&](const std::string& path, const FieldList& fields) {
    FieldList all = fields;
    all.emplace_back("Idempotency-Key", "k-1");
    return AskOnce(proxy.port(), "POST", path, all, "{}");
  };
  for (const char* path : {"/pay", "/limited"}) {
    CAPTURE(path);
    for (const FieldList& fields :
         {FieldList{}, FieldList{{"X-Tenant", ""}}, FieldList{{"X_Tenant", "a"}},
          FieldList{{"X-Tenant", "a"}, {"X_Tenant", "b"}}}) {
      const auto answer = ask(path, fields);
      CHECK(answer.status == 400);
      CHECK(answer.body.find("enant") != std::string::npos);
    }
  }
  CHECK(backend.requests() == 0);
  CHECK(ask("/pay", {{"X-Tenant", "a"}}).status == 201);
  CHECK(ask("/pay", {{"X-Tenant", "b"}}).Count("Idempotent-Replayed") == 0);
  CHECK(backend.requests() == 2);
}

TEST_CASE("a key that nothing looks at is counted, and logged once for the route") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(
      "workers: 1\nstore: { type: memory }\nroutes:\n  - { path: /pay, upstream: \"http://" +
      backend.address() +
      "\", idempotency: {} }\n  - { path_prefix: /, name: rest, upstream: \"http://" +
      backend.address() + "\" }\n");
  const FieldList key = {{"Idempotency-Key", "k-1"}};
  CHECK(AskOnce(proxy.port(), "POST", "/pay", key, "{}").status == 201);
  CHECK(AskOnce(proxy.port(), "POST", "/refund", {}, "{}").status == 201);
  CHECK(AskOnce(proxy.port(), "GET", "/refund", key).status == 201);
  for (int i = 0; i < 3; ++i)
    CHECK(AskOnce(proxy.port(), "POST", "/refund", key, "{}").status == 201);
  CHECK(AskOnce(proxy.port(), "PUT", "/pay", key, "{}").status == 201);
  proxy.process().WaitForLine("key_unused");
  // A response that streams may be read before it is counted; its access line comes after both.
  proxy.process().WaitForLine("\"method\":\"PUT\"");
  const auto metrics = AskOnce(proxy.admin_port(), "GET", "/metrics").body;
  CHECK(metrics.find("idemproxy_unused_keys_total{route=\"rest\"} 3") != std::string::npos);
  CHECK(metrics.find("idemproxy_unused_keys_total{route=\"/pay\"} 1") != std::string::npos);
}

}  // namespace idem::support

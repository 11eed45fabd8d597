// The built proxy in front of TLS backends.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"
#include "tests/support/test_certificates.h"
#include "tests/support/tls_backend.h"

namespace idem::support {

namespace {

using support::TlsBackend;

const support::TestCertificates& Files() {
  static const support::TestCertificates files;
  return files;
}

std::string Yaml(const std::string& port, const std::string& tls) {
  return "store: { type: memory }\nworkers: 2\nupstreams:\n  secure: { url: 'https://127.0.0.1:" +
         port + "', tls: { " + tls +
         " } }\nroutes: [{ path: /orders, upstream: secure, idempotency: {} }]\n";
}

HttpResponse Post(const RunningProxy& proxy, const std::string& key) {
  return AskOnce(proxy.port(), "POST", "/orders", {{"Idempotency-Key", key}}, "{}");
}

const std::string kUntilEnd = "HTTP/1.1 201 Created\r\n\r\nmade";

}  // namespace

TEST_CASE("a backend whose certificate is refused gets no byte, and the log says why") {
  struct Case {
    const char* what;
    std::string certificate;
    std::string tls;
    std::string reason;
  };
  const std::string ca = "ca: " + Files().ca();
  for (const Case& one :
       {Case{"another name", Files().other_name(), ca + ", server_name: localhost",
             "certificate: hostname mismatch"},
        Case{"another address", Files().other_name(), ca, "certificate: IP address mismatch"},
        Case{"expired", Files().expired(), ca, "certificate: certificate has expired"},
        Case{"self-signed", Files().self_signed(), ca + ", server_name: localhost",
             "certificate: self-signed certificate"},
        Case{"not of the system's authorities", Files().server(), "",
             "certificate: unable to get local issuer certificate"}}) {
    CAPTURE(one.what);
    TlsBackend backend({.certificate = one.certificate,
                        .key = Files().key(),
                        .answer = support::Response(201, "made")});
    RunningProxy proxy(Yaml(backend.port(), one.tls));
    // The second request is sent too, because the claim was released and is not unknown.
    for (int i = 1; i <= 2; ++i) {
      const auto answer = Post(proxy, "k-1");
      CHECK(answer.status == 502);
      CHECK(answer.body.find("upstream-unreachable") != std::string::npos);
      CHECK(backend.WaitForFailures(i));
    }
    CHECK(backend.received().empty());
    const std::string line = proxy.process().WaitForLine("\"event\":\"upstream_failed\"");
    CHECK(line.find(one.reason) != std::string::npos);
    CHECK(proxy.Stop() == 0);
  }
}

TEST_CASE("a backend with a good certificate is served, by address and by server_name") {
  TlsBackend backend({.certificate = Files().server(),
                      .key = Files().key(),
                      .answer = support::Response(201, "made")});
  for (const std::string name : {"", ", server_name: localhost"}) {
    RunningProxy proxy(Yaml(backend.port(), "ca: " + Files().ca() + name));
    CHECK(Post(proxy, "k-1").body == "made");
    CHECK(Post(proxy, "k-1").Field("Idempotent-Replayed") == "true");
    const auto metrics = AskOnce(proxy.admin_port(), "GET", "/metrics").body;
    CHECK(metrics.find("idemproxy_connections{side=\"upstream\"} 1") != std::string::npos);
  }
}

TEST_CASE("with verify off anybody may answer, and a start says so") {
  TlsBackend backend({.certificate = Files().self_signed(),
                      .key = Files().key(),
                      .answer = support::Response(201, "made")});
  RunningProxy proxy(Yaml(backend.port(), "verify: false"));
  CHECK(Post(proxy, "k-1").body == "made");
  CHECK(proxy.process().output().find("any server that answers is trusted") != std::string::npos);
}

TEST_CASE("a backend that asks for a certificate gets ours") {
  TlsBackend backend({.certificate = Files().server(),
                      .key = Files().key(),
                      .client_ca = Files().ca(),
                      .answer = support::Response(201, "made")});
  RunningProxy proxy(Yaml(backend.port(), "ca: " + Files().ca() + ", certificate: " +
                                              Files().client() + ", key: " + Files().key()));
  CHECK(Post(proxy, "k-1").status == 201);
  CHECK(backend.peer_subject() == "CN=shop,O=Tests");
}

TEST_CASE("an answer of unknown length that ends without a close_notify was cut: unknown") {
  struct Case {
    TlsBackend::Then then;
    int first;
    int second;
    const char* told;
  };
  for (const Case& one : {Case{TlsBackend::Then::kEnd, 201, 201, "made"},
                          Case{TlsBackend::Then::kCut, 502, 504, "outcome-unknown"}}) {
    CAPTURE(one.told);
    TlsBackend backend({.certificate = Files().server(),
                        .key = Files().key(),
                        .answer = kUntilEnd,
                        .then = one.then});
    RunningProxy proxy(Yaml(backend.port(), "ca: " + Files().ca()));
    CHECK(Post(proxy, "k-1").status == one.first);
    const auto again = Post(proxy, "k-1");
    CHECK(again.status == one.second);
    CHECK(again.body.find(one.told) != std::string::npos);
  }
}

TEST_CASE("an answer of known length is whole, whatever becomes of the connection") {
  TlsBackend backend({.certificate = Files().server(),
                      .key = Files().key(),
                      .answer = support::Response(201, "made"),
                      .then = TlsBackend::Then::kCut});
  RunningProxy proxy(Yaml(backend.port(), "ca: " + Files().ca()));
  CHECK(Post(proxy, "k-1").body == "made");
  CHECK(Post(proxy, "k-2").body == "made");
}

}  // namespace idem::support

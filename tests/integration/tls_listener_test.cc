// The built proxy's TLS listeners with curl and openssl s_client as peers.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/running_proxy.h"
#include "tests/support/scripted_backend.h"
#include "tests/support/test_certificates.h"

namespace idem::support {

namespace {

using support::Always;
using support::Response;
using support::ScriptedBackend;

const support::TestCertificates& Files() {
  static const support::TestCertificates files;
  return files;
}

std::string Listener(const std::string& certificate, const std::string& more = "") {
  return "{ address: '127.0.0.1:0', tls: { certificate: " + certificate +
         ", key: " + Files().key() + more + " } }";
}

std::string AsksClients() { return ", client_ca: " + Files().ca(); }

std::string Yaml(const std::string& listener, const ScriptedBackend& backend,
                 const std::string& more = "", const std::string& route = "") {
  return "listen: " + listener + "\nstore: { type: memory }\n" + more +
         "routes:\n  - path: /orders\n    upstream: http://" + backend.address() +
         "\n    idempotency: {}\n" + route;
}

struct Ended {
  int code = 0;
  std::string output;
  std::string errors;
};

Ended RunToEnd(const Process::Command& command) {
  Process process = Process::Start(command);
  const int code = process.WaitForExit();
  return {code, process.output(), process.error_output()};
}

// Sends a POST with the key `k-1`. The output ends with the status.
Ended Curl(std::uint16_t port, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"-sS",
                                        "--cacert",
                                        Files().ca(),
                                        "-H",
                                        "Idempotency-Key: k-1",
                                        "-d",
                                        "{}",
                                        "-w",
                                        "%{http_code}",
                                        "https://localhost:" + std::to_string(port) + "/orders"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RunToEnd({"curl", std::move(arguments), {}});
}

// `input` is typed when the handshake is done.
Ended OpenSslClient(std::uint16_t port, const std::string& options, const std::string& input = "") {
  return RunToEnd({"sh",
                   {"-c", "printf '" + input + "' | openssl s_client -connect 127.0.0.1:" +
                              std::to_string(port) + " -CAfile " + Files().ca() + " " + options},
                   {}});
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

int CountOf(const std::string& text, std::string_view part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE(
    "an order over TLS is executed once and replayed, and the backend gets the scheme https") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml("[" + Listener(Files().server()) + ", 127.0.0.1:0]", backend));
  const std::uint16_t plain = proxy.NextPort();
  CHECK(Curl(proxy.port()).output == "made201");
  CHECK(Has(Curl(proxy.port(), {"-i"}).output, "Idempotent-Replayed: true"));
  CHECK(Curl(proxy.port(), {"--http2"}).output == "made201");  // offers both, gets HTTP/1.1
  REQUIRE(backend.requests() == 1);
  CHECK(backend.seen()[0].Field("X-Forwarded-Proto") == "https");
  CHECK(AskOnce(plain, "POST", "/orders", {{"Idempotency-Key", "k-2"}}, "{}").status == 201);
  CHECK(backend.seen()[1].Field("X-Forwarded-Proto") == "http");
  CHECK(proxy.Stop() == 0);
}

TEST_CASE("an older TLS and a renegotiation are refused, and so is another protocol") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(Listener(Files().server()), backend));
  const auto old = OpenSslClient(proxy.port(), "-tls1_1 -cipher DEFAULT:@SECLEVEL=0");
  CHECK(old.code != 0);
  CHECK(Has(old.errors, "alert protocol version"));
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    CHECK(OpenSslClient(proxy.port(), version).code == 0);
  }
  const auto renegotiation = OpenSslClient(proxy.port(), "-tls1_2", "R\\n");
  CHECK(Has(renegotiation.output + renegotiation.errors, "RENEGOTIATING"));
  CHECK(Has(renegotiation.errors, "no renegotiation"));
  CHECK(Has(OpenSslClient(proxy.port(), "-alpn h2").errors, "no application protocol"));
  CHECK(Curl(proxy.port()).output == "made201");
}

TEST_CASE("with TLS 1.2 a cipher has forward secrecy and authenticates, or is refused") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(Listener(Files().server()), backend));
  const std::string tls12 = "-tls1_2 -cipher ";
  CHECK(OpenSslClient(proxy.port(), tls12 + "ECDHE-ECDSA-AES128-GCM-SHA256").code == 0);
  CHECK(OpenSslClient(proxy.port(), tls12 + "ECDHE-ECDSA-CHACHA20-POLY1305").code == 0);
  const auto weak = OpenSslClient(proxy.port(), tls12 + "ECDHE-ECDSA-AES128-SHA:AES128-SHA");
  CHECK(Has(weak.errors, "alert handshake failure"));
}

TEST_CASE("sessions resume, with TLS 1.2 and 1.3, on whichever worker") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(Listener(Files().server()), backend, "workers: 2\n"));
  const auto again = OpenSslClient(proxy.port(), "-tls1_2 -reconnect");
  CHECK(CountOf(again.output, "Reused, TLSv1.2") == 5);

  const TempFolder folder;
  const std::string session = folder.path() + "/session";
  const std::string request = "GET /x HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n";
  const auto first = OpenSslClient(proxy.port(), "-tls1_3 -ign_eof -sess_out " + session, request);
  CHECK(Has(first.output, "New, TLSv1.3"));
  CHECK(Has(OpenSslClient(proxy.port(), "-tls1_3 -sess_in " + session).output, "Reused, TLSv1.3"));
}

TEST_CASE("with client_ca a caller shows a certificate of it, or is not let in") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(Listener(Files().server(), AsksClients()), backend));
  const auto with = [](const std::string& certificate) -> std::vector<std::string> {
    return {"--cert", certificate, "--key", Files().key()};
  };
  CHECK(Curl(proxy.port()).code != 0);
  CHECK(Has(proxy.process().WaitForLine("\"event\":\"tls_failed\""),
            "peer did not return a certificate"));
  CHECK(Curl(proxy.port(), with(Files().stranger())).code != 0);
  CHECK(Has(proxy.process().WaitForLine("\"event\":\"tls_failed\""),
            "certificate: unable to get local issuer certificate"));
  CHECK(Curl(proxy.port(), with(Files().expired())).code != 0);
  CHECK(Has(proxy.process().WaitForLine("\"event\":\"tls_failed\""), "certificate has expired"));
  CHECK(backend.requests() == 0);
  CHECK(Curl(proxy.port(), with(Files().client())).output == "made201");
}

TEST_CASE("a certificate's subject is the client, on a resumed session too") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const std::string clients =
      "clients:\n  - { id: shop, certificate_subject: 'CN=shop,O=Tests' }\n"
      "  - { id: other, certificate_subject: CN=other }\n";
  const std::string route = "    authenticate: { scheme: client-certificate, clients: [CLIENT] }\n";
  const auto yaml = [&](const std::string& client) {
    std::string its_route = route;
    its_route.replace(its_route.find("CLIENT"), 6, client);
    return Yaml("[" + Listener(Files().server(), AsksClients()) + ", 127.0.0.1:0]", backend,
                clients, its_route);
  };
  const std::vector<std::string> shop = {"--cert", Files().client(), "--key", Files().key()};
  RunningProxy proxy(yaml("shop"));
  const std::uint16_t plain = proxy.NextPort();
  CHECK(Curl(proxy.port(), shop).output == "made201");
  CHECK(backend.seen().at(0).Field("X-Client-Id") == "shop");
  CHECK(Has(proxy.process().WaitForLine("\"event\":\"request\""), "\"client\":\"shop\""));

  // On a listener without client certificates no caller is taken for the shop.
  const auto nobody = AskOnce(plain, "POST", "/orders",
                              {{"Idempotency-Key", "k-2"}, {"X-Client-Id", "shop"}}, "{}");
  CHECK(nobody.status == 401);
  CHECK(Has(nobody.body, "signature-missing"));
  CHECK(nobody.Field("WWW-Authenticate") == "client-certificate");

  const TempFolder folder;
  const std::string session = folder.path() + "/session";
  const std::string request =
      "POST /orders HTTP/1.1\\r\\nHost: a\\r\\nIdempotency-Key: KEY\\r\\nContent-Length: 2\\r\\n"
      "Connection: close\\r\\n\\r\\n{}";
  const auto with_key = [&](const std::string& key) {
    std::string text = request;
    return text.replace(text.find("KEY"), 3, key);
  };
  for (const std::string version : {"-tls1_2", "-tls1_3"}) {
    const std::string known = " -cert " + Files().client() + " -key " + Files().key();
    OpenSslClient(proxy.port(), version + known + " -ign_eof -sess_out " + session,
                  with_key("a" + version));
    const auto resumed = OpenSslClient(proxy.port(), version + " -ign_eof -sess_in " + session,
                                       with_key("b" + version));
    CHECK(Has(resumed.output, "Reused, TLSv1."));
    CHECK(backend.seen().back().Field("Idempotency-Key") == "b" + version);
    CHECK(backend.seen().back().Field("X-Client-Id") == "shop");
  }

  RunningProxy for_another(yaml("other"));
  CHECK(Has(Curl(for_another.port(), shop).output, "signature-invalid"));
}

TEST_CASE("a session outlives no certificate: one that is over is asked for again, and refused") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(Listener(Files().server(), AsksClients()), backend));
  const TempFolder folder;
  const std::string session = folder.path() + "/session";
  const std::string request =
      "GET /orders HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n";
  const auto answered = [&](const std::string& certificate, const std::string& more) {
    return Has(
        OpenSslClient(proxy.port(),
                      "-tls1_3 -ign_eof -key " + Files().key() + " -cert " + certificate + more,
                      request)
            .output,
        "HTTP/1.1 201");
  };
  // On a slow machine the first certificate may expire before it is used.
  std::chrono::seconds lifetime(2);
  std::string certificate = Files().ShortLived(lifetime);
  while (!answered(certificate, " -sess_out " + session)) {
    REQUIRE((lifetime *= 2) < std::chrono::minutes(2));
    certificate = Files().ShortLived(lifetime);
  }
  while (answered(certificate, "")) {
  }
  CHECK_FALSE(answered(certificate, " -sess_in " + session));
  // A client with a new certificate uses it.
  CHECK(answered(Files().client(), " -sess_in " + session));
  CHECK(proxy.Stop() == 0);
}

TEST_CASE("a handshake that never ends is cut, and others are served meanwhile") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(Listener(Files().server()), backend, "limits: { header_timeout: 1s }\n"));
  HttpClient silent(proxy.port());
  HttpClient half(proxy.port());
  half.Send(std::string("\x16\x03\x01\x02\x00\x01", 6));  // the begin of a ClientHello
  CHECK(Curl(proxy.port()).output == "made201");
  silent.ReadEnding();
  half.ReadEnding();
  CHECK(Has(proxy.process().WaitForLine("\"event\":\"tls_failed\""),
            "the TLS handshake took too long"));
}

TEST_CASE("a handshake counts as a connection, and at the limit it makes room") {
  ScriptedBackend backend(Always(Response(201, "made")));
  RunningProxy proxy(Yaml(Listener(Files().server()), backend,
                          "workers: 1\nlimits: { connections: 1, header_timeout: 30s }\n"));
  HttpClient silent(proxy.port());
  HttpClient half(proxy.port());
  half.Send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  silent.ReadEnding();
  CHECK(Curl(proxy.port()).output == "made201");
  half.ReadEnding();
}

TEST_CASE("SIGHUP takes new certificates for new connections, and bad files not at all") {
  ScriptedBackend backend(Always(Response(201, "made")));
  const TempFolder folder;
  const std::string certificate = folder.path() + "/certificate.pem";
  const auto use = [&](const std::string& file) {
    std::filesystem::copy_file(file, certificate,
                               std::filesystem::copy_options::overwrite_existing);
  };
  const auto shown = [&](const RunningProxy& proxy) {
    const auto seen = OpenSslClient(proxy.port(), "").output;
    return seen.substr(seen.find("subject="), seen.find("issuer=") - seen.find("subject="));
  };
  use(Files().server());
  const std::string yaml = Yaml(Listener(certificate), backend, "workers: 2\n");
  RunningProxy proxy(yaml);
  CHECK(Has(shown(proxy), "CN = localhost"));
  folder.Write("certificate.pem", "no certificate");
  proxy.Reload(yaml, "\"event\":\"reload_refused\"");
  CHECK(Has(shown(proxy), "CN = localhost"));
  use(Files().other_name());
  proxy.Reload(yaml, "\"event\":\"reloaded\"");
  CHECK(Has(shown(proxy), "CN = other.example"));
  const std::string log = proxy.process().output();
  CHECK(Has(log, "cannot use the certificate"));
  CHECK_FALSE(Has(log, "PRIVATE KEY"));
}

}  // namespace idem::support

// `tls` of listeners and upstreams: the files are checked when the configuration is read.
#include "tests/support/test_certificates.h"
#include "tests/unit/config/support.h"

namespace idem::config {

namespace {

const support::TestCertificates& Files() {
  static const support::TestCertificates files;
  return files;
}

const std::string kRoute = "routes:\n- {path: /a, upstream: http://b}\n";

std::string ListenText(const std::string& certificate, const std::string& key,
                       const std::string& more = "") {
  return kRoute + "listen: {address: 127.0.0.1:80, tls: {certificate: " + certificate +
         ", key: " + key + more + "}}";
}

std::string UpstreamText(const std::string& tls) {
  return kRoute + "upstreams: {a: {url: https://b, tls: {" + tls + "}}}";
}

std::string WarningsOf(const std::string& text) {
  return JoinLines(ToLines(GoodText(text).warnings));
}

}  // namespace

TEST_CASE("a listener's certificate and key are read with the file") {
  const Config config =
      GoodText(ListenText(Files().server(), Files().key(), ", client_ca: " + Files().ca()));
  CHECK(config.listen.at(0).tls != nullptr);
  CHECK(config.warnings.empty());
  CHECK(GoodText(kRoute + "listen: [127.0.0.1:80]").listen.at(0).tls == nullptr);
}

TEST_CASE("an upstream is checked against the system's authorities, or those of its own") {
  CHECK(GoodText("routes:\n- {path: /a, upstream: https://b}\n").upstreams.at(0).tls->context);
  const Config config =
      GoodText(UpstreamText("ca: " + Files().ca() + ", certificate: " + Files().client() +
                            ", key: " + Files().key() + ", server_name: x"));
  CHECK(config.upstreams.at(0).tls->context);
  CHECK(config.upstreams.at(0).tls->server_name == "x");
  CHECK(config.warnings.empty());
}

TEST_CASE("a file that cannot be used is a mistake that says which and why") {
  struct Row {
    std::string text;
    std::string lines;
  };
  const std::string key = Files().key();
  const std::string at = "f:3:38: listen.tls: cannot use the ";
  const Row rows[] = {
      {ListenText("/nowhere", key), at + "certificate '/nowhere': No such file or directory\n"},
      {ListenText(key, key), at + "certificate '" + key + "': no start line\n"},
      {ListenText(Files().server(), "/nowhere"),
       at + "private key '/nowhere': No such file or directory\n"},
      {ListenText(Files().ca(), key), at + "private key '" + key + "': key values mismatch\n"},
      {ListenText(Files().server(), Files().locked_key()),
       at + "private key '" + Files().locked_key() + "': it needs a passphrase\n"},
      {ListenText(Files().server(), key, ", client_ca: /nowhere"),
       at + "authorities of clients '/nowhere': No such file or directory\n"},
      {UpstreamText("ca: /nowhere"),
       "f:3:38: upstreams.a.tls: cannot use the authorities '/nowhere': No such file or "
       "directory\n"},
      {UpstreamText("certificate: x"),
       "f:3:38: upstreams.a.tls.key: is missing: `certificate` and `key` go together\n"},
      {kRoute + "listen: {address: 127.0.0.1:80, tls: {}}",
       "f:3:38: listen.tls.certificate: is missing\nf:3:38: listen.tls.key: is missing\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(JoinLines(MistakesOf(row.text)) == row.lines);
  }
}

TEST_CASE("a file's name that came from the environment is not shown") {
  CHECK(JoinLines(MistakesOf(ListenText("'${FILE}'", "k"), {{"FILE", "/nowhere"}})) ==
        "f:3:38: listen.tls: names a file that cannot be used: No such file or directory\n");
}

TEST_CASE("an empty client_ca does not quietly let everybody in") {
  const auto lines =
      MistakesOf(ListenText(Files().server(), Files().key(), ", client_ca: '${CA:-}'"));
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("listen.tls.client_ca: is empty") != std::string::npos);
}

TEST_CASE("a certificate that is over, and a backend that anybody may be, are warned of") {
  CHECK(WarningsOf(ListenText(Files().expired(), Files().key())) ==
        "f:3:52: listen.tls.certificate: has expired, so the other side will refuse it\n");
  CHECK(WarningsOf(UpstreamText("verify: false")) ==
        "f:3:47: upstreams.a.tls.verify: is false: any server that answers is trusted as the "
        "backend and gets every request\n");
}

TEST_CASE("client-certificate needs a listener that asks for one, and a client's subject") {
  const std::string tail =
      "clients: [{id: shop, certificate_subject: 'CN=shop,O=Tests'}]\n"
      "routes:\n- {path: /, upstream: http://b, authenticate: {scheme: client-certificate}}\n";
  const std::string asking =
      "listen: {address: 127.0.0.1:80, tls: {certificate: " + Files().server() +
      ", key: " + Files().key() + ", client_ca: " + Files().ca() + "}}\n";
  const Config config = GoodText(asking + tail);
  CHECK(config.clients.at(0).certificate_subject == "CN=shop,O=Tests");
  CHECK(config.routes.at(0).authenticate->scheme == auth::Scheme::kClientCertificate);
  CHECK(JoinLines(MistakesOf(tail)) ==
        "f:3:56: routes[0].authenticate.scheme: needs a listener with `tls` and its `client_ca`\n");
}

TEST_CASE("a certificate's subject is written as RFC 2253 has it, and is one client's") {
  const std::string wrong =
      ": is not a subject as `openssl x509 -noout -subject -nameopt RFC2253` prints it, such as "
      "CN=shop,O=Shops\n";
  for (const std::string text :
       {"", "shop", "/O=Tests/CN=shop", "O = Tests, CN = shop", "O=Tests, CN=shop"}) {
    CAPTURE(text);
    CHECK(JoinLines(MistakesOf(kRoute + "clients: [{id: a, certificate_subject: '" + text +
                               "'}]")) == "f:3:40: clients[0].certificate_subject" + wrong);
  }
  CHECK(MistakesOf(kRoute + "clients: [{id: a, certificate_subject: 'CN=a,O=A\\, Inc.'}]").empty());
  CHECK(JoinLines(MistakesOf(kRoute + "clients: [{id: a, certificate_subject: CN=x}, {id: b, "
                                      "certificate_subject: CN=x}]")) ==
        "f:3:76: clients[1].certificate_subject: is already the subject of clients[0] (line 3)\n");
}

}  // namespace idem::config

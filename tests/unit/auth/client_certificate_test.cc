#include <doctest/doctest.h>

#include "proxy/auth/authentication.h"

namespace idem::auth {

TEST_CASE("a certificate's subject is a client, where the route lets it in") {
  Clients clients(2);
  clients[0].id = "shop";
  clients[0].certificate_subject = "CN=shop,O=Tests";
  clients[1].id = "signs";
  const auto ask = [&](std::string_view subject, std::vector<std::string> may) {
    AuthenticateOptions options;
    options.scheme = Scheme::kClientCertificate;
    options.clients = std::move(may);
    http::Fields sent;
    sent.Add("X-Client-Id", "shop");  // says nothing here
    return Authenticate(options, clients,
                        {.method = "POST", .target = "/", .fields = sent, .tls_subject = subject},
                        WallTime());
  };
  for (const std::vector<std::string>& may : {std::vector<std::string>(), {"signs", "shop"}}) {
    const auto known = ask("CN=shop,O=Tests", may);
    REQUIRE(std::holds_alternative<AuthenticatedClient>(known));
    CHECK(std::get<AuthenticatedClient>(known).client_id == "shop");
  }
  CHECK(std::holds_alternative<SignatureInvalid>(ask("CN=shop,O=Tests", {"signs"})));
  CHECK(std::holds_alternative<SignatureInvalid>(ask("CN=shop", {})));
  CHECK(std::holds_alternative<SignatureInvalid>(ask("CN=shop,O=Tests,C=DE", {})));
  // A client without a subject is not the one who shows no certificate.
  CHECK(std::holds_alternative<SignatureMissing>(ask("", {})));
  CHECK_FALSE(Sign({.scheme = Scheme::kClientCertificate,
                    .header = "X-Signature",
                    .clients = {},
                    .client_header = "X-Client-Id"},
                   clients[0], {.method = "POST", .target = "/", .fields = {}}, WallTime())
                  .has_value());
}

}  // namespace idem::auth

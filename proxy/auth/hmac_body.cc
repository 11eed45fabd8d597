#include "proxy/auth/hmac_body.h"

#include "proxy/base/digest.h"
#include "proxy/base/hex.h"

namespace idem::auth {

namespace {

// Who signs when the caller does not say: the only client that may use the route, or else the one
// named `default`. nullptr: nobody.
const ClientOptions* UnnamedClient(const AuthenticateOptions& options, const Clients& clients) {
  const ClientOptions* only = nullptr;
  for (const ClientOptions& client : clients) {
    if (!MayUse(options, client.id)) continue;
    if (only != nullptr) return FindClient(clients, "default");
    only = &client;
  }
  return only;
}

const ClientOptions* ClaimedClient(const AuthenticateOptions& options, const Clients& clients,
                                   const http::RequestHead& head) {
  switch (head.fields.Count(options.client_header)) {
    case 0:
      return UnnamedClient(options, clients);
    case 1:
      return FindClient(clients, *head.fields.Find(options.client_header));
    default:
      return nullptr;
  }
}

// Every secret is tried, also after one that fits: the time taken tells how many there are, not
// which.
bool AnySecretFits(const ClientOptions& client, std::string_view body,
                   const Sha256Digest& signature) {
  bool fits = false;
  for (const Secret& secret : client.secrets) {
    const Sha256Digest expected = HmacSha256(secret.bytes(), body);
    fits |= EqualInConstantTime(AsText(expected), AsText(signature));
  }
  return fits;
}

}  // namespace

AuthenticateResult AuthenticateHmacBody(const AuthenticateOptions& options, const Clients& clients,
                                        const http::RequestHead& head, std::string_view body) {
  const std::size_t lines = head.fields.Count(options.header);
  if (lines == 0) return SignatureMissing{};
  if (lines > 1) return SignatureInvalid{};

  Sha256Digest signature{};
  if (!FromHex(*head.fields.Find(options.header), signature)) return SignatureInvalid{};
  const ClientOptions* client = ClaimedClient(options, clients, head);
  if (client == nullptr || !MayUse(options, client->id)) return SignatureInvalid{};
  if (!AnySecretFits(*client, body, signature)) return SignatureInvalid{};
  return AuthenticatedClient{client->id};
}

Result<http::Fields> SignHmacBody(const AuthenticateOptions& options, const ClientOptions& client,
                                  std::string_view body) {
  if (client.secrets.empty()) {
    return Error{ErrorCode::kInvalid, "client " + client.id + " has no secret to sign with"};
  }
  http::Fields fields;
  fields.Add(options.client_header, client.id);
  fields.Add(options.header, ToHex(HmacSha256(client.secrets.front().bytes(), body)));
  return fields;
}

}  // namespace idem::auth

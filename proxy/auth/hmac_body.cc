#include "proxy/auth/hmac_body.h"

#include "proxy/base/digest.h"
#include "proxy/base/hex.h"

namespace idem::auth {

namespace {

// Returns the client of a request that names none: the only client that may use the route, or
// otherwise the client named `default`, or nullptr.
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
                                   const http::Fields& fields) {
  switch (fields.Count(options.client_header)) {
    case 0:
      return UnnamedClient(options, clients);
    case 1:
      return FindClient(clients, *fields.Find(options.client_header));
    default:
      return nullptr;
  }
}

// Tries every secret, also after a match, so that the time taken reveals only their number.
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
                                        const SignedRequest& request) {
  const http::Fields& fields = request.fields;
  const std::size_t lines = fields.Count(options.header);
  if (lines == 0) return SignatureMissing{};
  if (lines > 1) return SignatureInvalid{};

  Sha256Digest signature{};
  if (!FromHex(*fields.Find(options.header), signature)) return SignatureInvalid{};
  const ClientOptions* client = ClaimedClient(options, clients, fields);
  if (client == nullptr || !MayUse(options, client->id)) return SignatureInvalid{};
  if (!AnySecretFits(*client, request.body, signature)) return SignatureInvalid{};
  return AuthenticatedClient{client->id};
}

Result<http::Fields> SignHmacBody(const AuthenticateOptions& options, const ClientOptions& client,
                                  const SignedRequest& request) {
  if (client.secrets.empty()) {
    return Error{ErrorCode::kInvalid, "client " + client.id + " has no secret to sign with"};
  }
  http::Fields fields;
  fields.Add(options.client_header, client.id);
  fields.Add(options.header, ToHex(HmacSha256(client.secrets.front().bytes(), request.body)));
  return fields;
}

}  // namespace idem::auth

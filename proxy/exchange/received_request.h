// The request of one exchange, with the part of the configuration that applies to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/auth/client_credentials.h"
#include "proxy/base/random.h"
#include "proxy/exchange/request_body.h"
#include "proxy/exchange/rules/problem_replies.h"
#include "proxy/exchange/rules/protected_request.h"
#include "proxy/exchange/rules/router.h"
#include "proxy/http/message.h"
#include "proxy/http/server_stream.h"
#include "proxy/idempotency/key.h"
#include "proxy/idempotency/policy.h"

namespace idem::exchange {

/// Part of an exchange.
struct ReceivedRequest {
  /// Takes the content of `from`.
  ReceivedRequest(http::RequestHead& from, const http::Peer& peer, Random& random);

  /// Sets the route and its policy. Returns the refusal if the request is not served.
  [[nodiscard]] std::optional<Reply> ChooseRoute(const Router& router);
  /// Prepares the body. Returns false if Content-Length is greater than the route allows.
  [[nodiscard]] bool ExpectBody();
  /// Sets the client if the route authenticates. Returns the refusal if it is not a valid one.
  [[nodiscard]] std::optional<Reply> Authenticate(const auth::Clients& clients,
                                                  std::string_view tls_subject);
  /// Reads the key if there is a policy.
  void ReadKey();
  /// Null if the request has no valid key.
  [[nodiscard]] const std::string* valid_key() const { return std::get_if<std::string>(&key); }

  /// Returns true if the caller sent a key for an effect, and no policy of the route looks at it.
  [[nodiscard]] bool has_unused_key() const;

  /// The request as a claim or an observation uses it. This object must outlive it.
  [[nodiscard]] ProtectedRequest AsProtected(const idempotency::Policy& for_policy) const;
  /// Builds the head for the upstream. `claimed`: the key is claimed, and goes with it.
  void BuildUpstreamHead(const http::Peer& peer, bool peer_trusted, bool claimed,
                         http::RequestHead& to) const;

  http::RequestHead head;
  RequestBody body;
  std::string peer_address;
  std::string id;
  std::string client;  // "" on a route without authentication
  const Route* route = nullptr;
  const idempotency::Policy* policy = nullptr;    // null if no key protects the request
  const idempotency::Policy* observed = nullptr;  // with `mode: observe`, instead of `policy`
  idempotency::KeyResult key;                     // set if there is a policy
};

}  // namespace idem::exchange

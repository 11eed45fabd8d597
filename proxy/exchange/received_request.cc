#include "proxy/exchange/received_request.h"

#include <chrono>
#include <utility>

#include "proxy/exchange/rules/admission.h"
#include "proxy/exchange/rules/caller_identity.h"
#include "proxy/exchange/rules/forwarded_head.h"

namespace idem::exchange {

ReceivedRequest::ReceivedRequest(http::RequestHead& from, const http::Peer& peer, Random& random)
    : peer_address(peer.address) {
  std::swap(head, from);
  id = ChooseRequestId(head.fields, random);
}

std::optional<Reply> ReceivedRequest::ChooseRoute(const Router& router) {
  auto chosen = exchange::ChooseRoute(router, head);
  if (auto* refusal = std::get_if<Reply>(&chosen)) return std::move(*refusal);
  route = std::get<const Route*>(chosen);
  policy = PolicyFor(*route, head.method);
  const bool observes = policy != nullptr && policy->mode == idempotency::Mode::kObserve;
  if (observes) observed = std::exchange(policy, nullptr);
  return {};
}

bool ReceivedRequest::ExpectBody() {
  // A signature and a fingerprint need the whole body before anything is forwarded.
  const bool whole = policy != nullptr || route->authenticate;
  const auto ahead = whole                 ? RequestBody::kAll
                     : observed != nullptr ? RequestBody::kHeldMax
                                           : RequestBody::kReadAhead;
  return body.Expect(head.body, route->max_body, ahead);
}

std::optional<Reply> ReceivedRequest::Authenticate(const auth::Clients& clients,
                                                   std::string_view tls_subject) {
  auto identified = IdentifyClient(*route, clients, tls_subject, head, body.kept(),
                                   std::chrono::system_clock::now());
  if (auto* refusal = std::get_if<Reply>(&identified)) return std::move(*refusal);
  client = std::get<std::string>(std::move(identified));
  return {};
}

void ReceivedRequest::ReadKey() {
  const idempotency::Policy* named_by = policy != nullptr ? policy : observed;
  if (named_by != nullptr) key = idempotency::ReadKey(head.fields, named_by->header);
}

bool ReceivedRequest::has_unused_key() const {
  if (policy != nullptr || observed != nullptr) return false;
  const bool safe = head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS";
  return !safe &&
         (head.fields.Count("Idempotency-Key") > 0 || head.fields.Count("X-Idempotency-Key") > 0);
}

ProtectedRequest ReceivedRequest::AsProtected(const idempotency::Policy& for_policy) const {
  return {.policy = &for_policy,
          .route = route->name,
          .client = client,
          .key = valid_key() != nullptr ? std::string_view(*valid_key()) : std::string_view(),
          .request_id = id,
          .head = &head,
          .body = body.kept()};
}

void ReceivedRequest::BuildUpstreamHead(const http::Peer& peer, bool peer_trusted, bool claimed,
                                        http::RequestHead& to) const {
  exchange::BuildUpstreamHead({.received = &head,
                               .route = route,
                               .peer = &peer,
                               .peer_trusted = peer_trusted,
                               .request_id = id,
                               .client_id = client,
                               .key_header = claimed ? std::string_view(policy->header) : "",
                               .key = claimed ? std::string_view(*valid_key()) : "",
                               .identity_encoding = claimed},
                              to);
  to.body = body.ended() ? WholeBodyLength(head, body.kept().size()) : head.body;
}

}  // namespace idem::exchange

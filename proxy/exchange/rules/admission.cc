#include "proxy/exchange/rules/admission.h"

#include <algorithm>
#include <utility>

#include "proxy/auth/authentication.h"
#include "proxy/exchange/rules/discriminators.h"
#include "proxy/exchange/rules/forwarded_head.h"
#include "proxy/exchange/rules/override_fields.h"

namespace idem::exchange {

std::variant<const Route*, Reply> ChooseRoute(const Router& router,
                                              const http::RequestHead& request) {
  if (request.method == "CONNECT" || request.method == "TRACE") {
    return NotImplemented("This proxy does not serve that method.");
  }
  if (HasNoHopLeft(request)) return AnsweredHere();
  if (NamesProtectedField(request.fields)) {
    return BadRequest("Connection names a field that belongs to the whole message.");
  }
  const Router::Match match = router.Find(request.method, request.host(), request.target);
  if (std::holds_alternative<Router::NoRoute>(match)) return NoRoute();
  if (std::holds_alternative<Router::AmbiguousPath>(match)) {
    return BadRequest("Two readers could read the path differently.");
  }
  if (const auto* other = std::get_if<Router::MethodNotAllowed>(&match)) {
    return MethodNotAllowed(other->allow);
  }
  const Route& route = *std::get<const Route*>(match);
  if (const auto name = MethodOverride(route, request)) {
    return BadRequest("It asks the backend for another method than the request line has, by",
                      *name);
  }
  if (const auto name = UnusableDiscriminator(route, request)) {
    return BadRequest("This route needs one field, in one spelling and with a value:", *name);
  }
  return &route;
}

bool EndIsInDoubt(const http::RequestHead& request) {
  return request.method == "CONNECT" || NamesProtectedField(request.fields);
}

std::variant<std::string, Reply> IdentifyClient(const Route& route, const auth::Clients& clients,
                                                std::string_view tls_subject,
                                                const http::RequestHead& request,
                                                std::string_view body, WallTime now) {
  if (!route.authenticate) return std::string();
  auto result = auth::Authenticate(
      *route.authenticate, clients,
      {.method = request.method,
       .target = request.target,
       .fields = request.fields,
       .key_header = route.idempotency ? std::string_view(route.idempotency->header) : "",
       .body = body,
       .tls_subject = tls_subject},
      now);
  if (auto* who = std::get_if<auth::AuthenticatedClient>(&result)) return std::move(who->client_id);
  const std::string_view problem =
      std::holds_alternative<auth::SignatureMissing>(result)   ? "signature-missing"
      : std::holds_alternative<auth::SignatureExpired>(result) ? "signature-expired"
                                                               : "signature-invalid";
  return SignatureRefused(problem, auth::SchemeName(route.authenticate->scheme));
}

}  // namespace idem::exchange

#include <algorithm>
#include <chrono>
#include <ostream>
#include <variant>

#include "proxy/auth/authentication.h"
#include "proxy/cli/commands.h"
#include "proxy/cli/data_argument.h"
#include "proxy/config/config.h"
#include "proxy/exchange/request_body.h"
#include "proxy/idempotency/key.h"

namespace idem::cli {

namespace {

Error Invalid(std::string what) { return {ErrorCode::kInvalid, std::move(what)}; }

// A parsed URL: "http://pay.example.com:8080/orders?x=1", or "/orders?x=1".
struct Destination {
  std::string host;  // empty if only a path was given
  std::string target;
};

Result<Destination> ParseUrl(std::string_view url) {
  if (url.starts_with('/')) return Destination{"", std::string(url)};
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos)
    return Invalid("`" + std::string(url) + "` is neither a URL nor a path");
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find('#'));
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  Destination destination{std::string(url.substr(0, end)), std::string(url.substr(end))};
  if (!destination.target.starts_with('/')) destination.target.insert(0, "/");
  return destination;
}

Result<const exchange::Route*> FindRoute(const exchange::Router& router, const std::string& method,
                                         const Destination& destination) {
  const auto match = router.Find(method, destination.host, destination.target);
  if (const auto* route = std::get_if<const exchange::Route*>(&match)) return *route;
  if (const auto* other = std::get_if<exchange::Router::MethodNotAllowed>(&match)) {
    return Invalid("the routes for this URL allow " + other->allow + ", not " + method);
  }
  if (std::holds_alternative<exchange::Router::AmbiguousPath>(match)) {
    return Invalid(
        "the path is ambiguous: a backend may read it in another way, so the proxy refuses it");
  }
  return Invalid("no route of the configuration matches this URL");
}

Result<auth::AuthenticateOptions> OptionsOf(const exchange::Route& route,
                                            const SignArguments& question) {
  auto options = route.authenticate.value_or(auth::AuthenticateOptions());
  if (question.scheme.empty()) return options;
  const auto scheme = auth::FindScheme(question.scheme);
  if (!scheme) return Invalid("unknown scheme `" + question.scheme + "`");
  options.scheme = *scheme;
  return options;
}

Result<http::Fields> SignFor(const auth::AuthenticateOptions& options, const auth::Clients& clients,
                             const std::string& client_id, const auth::SignedRequest& request) {
  if (options.scheme == auth::Scheme::kNone) return http::Fields();
  const auth::ClientOptions* client = auth::FindClient(clients, client_id);
  if (client == nullptr) return Invalid("no client has the id `" + client_id + "`");
  if (!auth::MayUse(options, client->id)) {
    return Invalid("client `" + client->id + "` may not use this route");
  }
  return auth::Sign(options, *client, request, std::chrono::system_clock::now());
}

// Returns the key's field line, or nothing if no key is given.
Result<http::Fields> KeyFields(const std::string& header, const std::string& key) {
  http::Fields fields;
  if (key.empty()) return fields;
  fields.Add(header, key);
  const auto read = idempotency::ReadKey(fields, header);
  if (const auto* invalid = std::get_if<idempotency::KeyInvalid>(&read)) {
    return Invalid("--key is not valid: " + std::string(invalid->reason));
  }
  return fields;
}

Result<http::Fields> FieldsFor(const SignArguments& question, const config::Config& config) {
  auto destination = ParseUrl(question.url);
  if (!destination) return destination.error();
  const exchange::Router router(config.routes);
  const auto route = FindRoute(router, question.method, *destination);
  if (!route) return route.error();
  const auto body = ReadData(question.data, exchange::RequestBody::kHeldMax);
  if (!body) return body.error();
  const auto options = OptionsOf(**route, question);
  if (!options) return options.error();
  const std::string key_header =
      (*route)->idempotency ? (*route)->idempotency->header : idempotency::Policy().header;
  const auto key = KeyFields(key_header, question.key);
  if (!key) return key.error();
  auto fields = SignFor(*options, config.clients, question.client,
                        {.method = question.method,
                         .target = destination->target,
                         .fields = *key,
                         .key_header = key_header,
                         .body = *body});
  if (!fields) return fields.error();
  for (const auto [name, value] : *key) fields->Add(name, value);
  return fields;
}

}  // namespace

ExitCode Sign(const SignArguments& question, std::ostream& out, std::ostream& errors) {
  const auto loaded = config::LoadFile(question.config_path, config::ProcessEnvironment());
  if (const auto* mistakes = std::get_if<std::vector<config::ConfigError>>(&loaded)) {
    for (const config::ConfigError& mistake : *mistakes) errors << mistake.ToText() << '\n';
    return kExitMistake;
  }
  const auto fields = FieldsFor(question, std::get<config::Config>(loaded));
  if (!fields) {
    errors << "idemproxy: " << fields.error().detail << '\n';
    return kExitMistake;
  }
  for (const auto [name, value] : *fields) out << name << ": " << value << '\n';
  return kExitOk;
}

}  // namespace idem::cli

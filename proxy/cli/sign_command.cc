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

// Where a URL leads: "http://pay.example.com:8080/orders?x=1", or "/orders?x=1".
struct Destination {
  std::string host;  // "" for a path alone
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
    return Invalid("the routes for this URL take " + other->allow + ", not " + method);
  }
  if (std::holds_alternative<exchange::Router::AmbiguousPath>(match)) {
    return Invalid("a path like this one is refused: a backend may read it in another way");
  }
  return Invalid("no route of the configuration takes this URL");
}

Result<auth::AuthenticateOptions> OptionsOf(const exchange::Route& route,
                                            const SignArguments& question) {
  auto options = route.authenticate.value_or(auth::AuthenticateOptions());
  if (question.scheme.empty()) return options;
  for (const auto scheme : {auth::Scheme::kNone, auth::Scheme::kHmacBody,
                            auth::Scheme::kHmacTimestamp, auth::Scheme::kHttpMessageSignatures}) {
    if (auth::SchemeName(scheme) != question.scheme) continue;
    options.scheme = scheme;
    return options;
  }
  return Invalid("there is no scheme `" + question.scheme + "`");
}

Result<http::Fields> SignFor(const auth::AuthenticateOptions& options, const auth::Clients& clients,
                             const SignArguments& question, std::string_view body) {
  if (options.scheme == auth::Scheme::kNone) return http::Fields();
  const auth::ClientOptions* client = auth::FindClient(clients, question.client);
  if (client == nullptr) return Invalid("no client is called `" + question.client + "`");
  const auto& allowed = options.clients;
  if (!allowed.empty() && std::ranges::find(allowed, client->id) == allowed.end()) {
    return Invalid("client `" + client->id + "` may not use this route");
  }
  return auth::Sign(options, *client, body, std::chrono::system_clock::now());
}

Status AddKey(const exchange::Route& route, const std::string& key, http::Fields& fields) {
  if (key.empty()) return Ok();
  const std::string header =
      route.idempotency ? route.idempotency->header : idempotency::Policy().header;
  fields.Add(header, key);
  const auto read = idempotency::ReadKey(fields, header);
  if (const auto* invalid = std::get_if<idempotency::KeyInvalid>(&read)) {
    return Invalid("this is not a key: " + std::string(invalid->reason));
  }
  return Ok();
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
  auto fields = SignFor(*options, config.clients, question, *body);
  if (!fields) return fields.error();
  if (auto added = AddKey(**route, question.key, *fields); !added) return added.error();
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

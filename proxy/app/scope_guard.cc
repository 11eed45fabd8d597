#include "proxy/app/scope_guard.h"

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"

namespace idem::app {

using idempotency::RouteScope;
using idempotency::ScopeRule;
using ports::NoteResult;

namespace {

constexpr std::string_view kNote = "scopes";
constexpr int kRacesMax = 20;

std::string TextOf(const ScopeRule& rule) {
  switch (rule.kind) {
    case ScopeRule::Kind::kClient:
      return "client";
    case ScopeRule::Kind::kRoute:
      return "route";
    case ScopeRule::Kind::kHeader:
      break;
  }
  return "header:" + rule.header;
}

std::vector<std::string> ClientsOf(const exchange::Route& route, const auth::Clients& clients) {
  std::vector<std::string> ids;
  if (!route.authenticate) return ids;
  ids = route.authenticate->clients;
  if (ids.empty()) {
    for (const auth::ClientOptions& client : clients) ids.push_back(client.id);
  }
  std::ranges::sort(ids);
  return ids;
}

std::string ToLower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string Join(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) {
    if (!text.empty()) text += "; ";
    text += sentence;
  }
  return text;
}

}  // namespace

std::vector<RouteScope> ScopesOf(const config::Config& config) {
  std::vector<RouteScope> routes;
  for (const exchange::Route& route : config.routes) {
    const bool enforces =
        route.idempotency && route.idempotency->mode == idempotency::Mode::kEnforce;
    if (!enforces) continue;
    RouteScope scope{
        route.name, ToLower(route.idempotency->header), {}, ClientsOf(route, config.clients)};
    for (const ScopeRule& rule : route.idempotency->scope) scope.scope.push_back(TextOf(rule));
    routes.push_back(std::move(scope));
  }
  return routes;
}

std::string PrefixOf(const config::Config& config) {
  return store::TraitsOf(config.store.type).is_shared ? config.store.key_prefix : "";
}

Ticket ScopeGuard::Run(const config::Config& config, bool accept,
                       Function<void(ScopeAnswer)> on_answer) {
  prefix_ = PrefixOf(config);
  routes_ = ScopesOf(config);
  accept_ = accept;
  races_ = 0;
  auto [ticket, completion] = Ask<ScopeAnswer>(std::move(on_answer));
  question_.Withdraw();
  if (completion_.awaited())
    completion_({ScopeAnswer::Kind::kUnanswered, "another check has begun"});
  completion_ = std::move(completion);
  Read();
  return std::move(ticket);
}

void ScopeGuard::Read() {
  question_ = notes_.Read(kNote, [this](Result<NoteResult> answer) {
    if (!answer) return Answer(ScopeAnswer::Kind::kUnanswered, answer.error().detail);
    Compare(answer->value);
  });
}

void ScopeGuard::Compare(const std::optional<std::string>& held) {
  idempotency::ScopeManifest scopes;
  if (held) {
    auto parsed = idempotency::ParseScopes(*held);
    if (!parsed && !accept_) return Answer(ScopeAnswer::Kind::kDiffers, parsed.error().detail);
    if (parsed) scopes = std::move(*parsed);
  }
  auto comparison = idempotency::CompareScopes(scopes, prefix_, routes_);
  if (!comparison.differences.empty()) {
    const std::string differences = Join(comparison.differences);
    if (!accept_) return Answer(ScopeAnswer::Kind::kDiffers, differences);
    log::Write(log::Level::kWarn, "scope_accepted",
               {{"differences", std::string_view(differences)},
                {"effect", "earlier keys are forgotten; their retries are executed again"}});
  }
  const std::string next = idempotency::ToText(comparison.next);
  if (held == next) return Answer(ScopeAnswer::Kind::kAgreed);
  question_ = notes_.Write(kNote, held, next, [this](Result<NoteResult> answer) {
    if (!answer) return Answer(ScopeAnswer::Kind::kUnanswered, answer.error().detail);
    if (answer->written) return Answer(ScopeAnswer::Kind::kAgreed);
    if (++races_ > kRacesMax) {
      return Answer(ScopeAnswer::Kind::kUnanswered,
                    "too many other processes write the store's scopes");
    }
    Compare(answer->value);
  });
}

void ScopeGuard::Answer(ScopeAnswer::Kind kind, std::string detail) {
  auto completion = std::move(completion_);
  completion({kind, std::move(detail)});
}

}  // namespace idem::app

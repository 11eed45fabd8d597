// Reads `authenticate` and `rate_limit` of a route.
#include <array>

#include "proxy/config/sections.h"

namespace idem::config {

namespace {

constexpr std::string_view kHeaderPrefix = "header:";
constexpr std::uint32_t kSlidingRequestsMax = 10'000;  // the store keeps a timestamp for each
constexpr std::uint32_t kBucketRequestsMax = 1'000'000;

void ReadSubject(MapReader& map, exchange::RateLimitOptions& to) {
  using By = exchange::RateLimitOptions::By;
  std::string by;
  if (!map.ReadText("by", by)) return;
  if (by == "address") {
    to.by = By::kAddress;
  } else if (by == "client") {
    to.by = By::kClient;
  } else if (by.starts_with(kHeaderPrefix) && IsToken(by.substr(kHeaderPrefix.size()))) {
    to.by = By::kHeader;
    to.header = by.substr(kHeaderPrefix.size());
  } else {
    map.AddError("by",
                 "must be address, client or header:NAME" + DidYouMean(by, {"address", "client"}));
  }
}

void ReadRule(MapReader& map, ports::LimitRule& rule) {
  using ports::LimitAlgorithm;
  constexpr Choice<LimitAlgorithm> kAlgorithms[] = {
      {"sliding_window", LimitAlgorithm::kSlidingWindow},
      {"token_bucket", LimitAlgorithm::kTokenBucket}};
  map.ReadChoice("algorithm", rule.algorithm, kAlgorithms);
  const bool bucket = rule.algorithm == LimitAlgorithm::kTokenBucket;
  const std::uint32_t requests_max = bucket ? kBucketRequestsMax : kSlidingRequestsMax;
  map.Require("requests");
  map.ReadNumber("requests", rule.requests, {1, requests_max});
  map.Require("per");
  map.ReadTime("per", rule.per, {std::chrono::seconds(1), std::chrono::hours(24 * 31)});
  rule.burst = bucket ? rule.requests : 0;
  if (map.ReadNumber("burst", rule.burst, {1, kBucketRequestsMax}) && !bucket) {
    map.AddError("burst", "requires `algorithm: token_bucket`");
  }
}

constexpr auto SchemeChoices() {
  std::array<Choice<auth::Scheme>, auth::kSchemes.size()> choices{};
  for (std::size_t i = 0; i < choices.size(); ++i) {
    choices[i] = {auth::SchemeName(auth::kSchemes[i]), auth::kSchemes[i]};
  }
  return choices;
}

}  // namespace

void ReadAuthenticate(MapReader& route, exchange::Route& to, ConfigErrors& mistakes) {
  using auth::Scheme;
  const Node* node = FindSwitch(route, "authenticate");
  if (node == nullptr) return;
  auth::AuthenticateOptions options;
  MapReader map(*node, mistakes);
  map.Require("scheme");
  const bool none =
      map.ReadChoice("scheme", options.scheme, SchemeChoices()) && options.scheme == Scheme::kNone;
  ReadFieldName(map, "header", options.header);
  ReadFieldName(map, "client_header", options.client_header);
  if (const auto* ids = map.FindList("clients")) {
    if (ids->empty())
      map.AddError("clients", "must have at least one; leave `clients` out to admit all");
    for (const Node& id : *ids) {
      if (const std::string* text = TextOf(id, mistakes)) options.clients.push_back(*text);
    }
  }
  map.RefuseUnknownKeys();
  if (!none) to.authenticate = std::move(options);
}

void ReadRateLimit(MapReader& route, exchange::Route& to, ConfigErrors& mistakes) {
  const Node* node = FindSwitch(route, "rate_limit");
  if (node == nullptr) return;
  exchange::RateLimitOptions options;
  constexpr Choice<bool> kOnStoreError[] = {{"allow", true}, {"deny", false}};
  MapReader map(*node, mistakes);
  ReadRule(map, options.rule);
  ReadSubject(map, options);
  map.ReadChoice("on_store_error", options.allow_on_store_error, kOnStoreError);
  map.RefuseUnknownKeys();
  to.rate_limit = std::move(options);
}

}  // namespace idem::config

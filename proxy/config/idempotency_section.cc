// Reads `idempotency` of a route: keys, fingerprints, leases, and how a claim ends.
#include <algorithm>
#include <span>

#include "proxy/config/sections.h"
#include "proxy/idempotency/fingerprint/canonical_json.h"

namespace idem::config {

namespace {

using idempotency::BodyMode;
using idempotency::ClaimEnding;
using idempotency::InProgress;
using idempotency::Policy;
using idempotency::ScopeRule;

constexpr TimeRange kLifeRange{milliseconds(1), std::chrono::hours(24 * 3650)};
constexpr std::string_view kHeaderPrefix = "header:";

std::optional<ScopeRule> ParseScopePart(const std::string& text) {
  if (text == "client") return ScopeRule{ScopeRule::Kind::kClient, ""};
  if (text == "route") return ScopeRule{ScopeRule::Kind::kRoute, ""};
  if (!text.starts_with(kHeaderPrefix) || !IsToken(text.substr(kHeaderPrefix.size()))) return {};
  return ScopeRule{ScopeRule::Kind::kHeader, ToLower(text.substr(kHeaderPrefix.size()))};
}

void ReadScope(MapReader& map, bool authenticated, Policy& policy, ConfigErrors& mistakes) {
  const auto kind = authenticated ? ScopeRule::Kind::kClient : ScopeRule::Kind::kRoute;
  policy.scope = {ScopeRule{kind, ""}};
  const auto* items = map.FindList("scope");
  if (items == nullptr) return;
  policy.scope.clear();
  for (const Node& item : *items) {
    const std::string* text = TextOf(item, mistakes);
    if (text == nullptr) continue;
    const auto part = ParseScopePart(*text);
    const auto same = [&](const ScopeRule& rule) {
      return part && rule.kind == part->kind && rule.header == part->header;
    };
    if (!part) {
      AddError(item,
               "must be client, route or header:NAME" + DidYouMean(*text, {"client", "route"}),
               mistakes);
    } else if (std::ranges::any_of(policy.scope, same)) {
      AddError(item, "is in the scope already", mistakes);
    } else if (part->kind == ScopeRule::Kind::kClient && !authenticated) {
      AddError(item, "needs `authenticate` on this route: an address is not an identity", mistakes);
    } else {
      policy.scope.push_back(*part);
    }
  }
}

void ReadFingerprint(MapReader& map, idempotency::Recipe& recipe, ConfigErrors& mistakes) {
  const Node* node = map.Find("fingerprint");
  if (node == nullptr) return;
  constexpr Choice<BodyMode> kModes[] = {{"raw", BodyMode::kRaw}, {"json", BodyMode::kJson}};
  MapReader print(*node, mistakes);
  print.ReadChoice("body", recipe.body, kModes);
  ReadFieldNames(print, "headers", recipe.headers, mistakes);
  print.ReadFlag("decode", recipe.decode);
  if (const auto* items = print.FindList("ignore")) {
    for (const Node& item : *items) {
      const std::string* pointer = TextOf(item, mistakes);
      if (pointer == nullptr) continue;
      if (!idempotency::IsJsonPointer(*pointer)) {
        AddError(item, "is not a JSON pointer to a member, such as /sent_at", mistakes);
      }
      recipe.ignore.push_back(*pointer);
    }
    if (!recipe.ignore.empty() && recipe.body == BodyMode::kRaw) {
      print.AddError("ignore", "requires `body: json`");
    }
  }
  print.RefuseUnknownKeys();
}

void ReadOverride(const Node& item, ClaimEnding ending, Policy& policy, ConfigErrors& mistakes) {
  const std::string* text = TextOf(item, mistakes);
  if (text == nullptr) return;
  const auto statuses = ParseStatuses(*text);
  if (!statuses) return AddError(item, statuses.error().detail, mistakes);
  const auto same = [&](const idempotency::StatusOverride& earlier) {
    return earlier.first == statuses->first && earlier.last == statuses->second;
  };
  if (std::ranges::any_of(policy.overrides, same)) {
    return AddError(item, "is listed twice under `responses`", mistakes);
  }
  policy.overrides.push_back({statuses->first, statuses->second, ending});
}

void ReadResponses(MapReader& map, Policy& policy, ConfigErrors& mistakes) {
  const Node* node = map.Find("responses");
  if (node == nullptr) return;
  constexpr Choice<ClaimEnding> kEndings[] = {{"record", ClaimEnding::kRecord},
                                              {"release", ClaimEnding::kRelease},
                                              {"unknown", ClaimEnding::kUnknown}};
  MapReader responses(*node, mistakes);
  for (const auto& [key, ending] : kEndings) {
    const auto* items = responses.FindList(key);
    if (items == nullptr) continue;
    for (const Node& item : *items) ReadOverride(item, ending, policy, mistakes);
  }
  responses.RefuseUnknownKeys();
}

// A look-up may contain the placeholders {key} and {client}.
void CheckLookUp(MapReader& map, const std::string& get, const Policy& policy) {
  if (!get.starts_with('/')) return map.AddError("get", "must begin with /");
  std::string rest = get;
  for (const std::string_view name : {"{key}", "{client}"}) {
    for (std::size_t at; (at = rest.find(name)) != std::string::npos;) rest.erase(at, name.size());
  }
  if (!IsVisible(rest, 8192) || rest.find_first_of("{}#") != std::string::npos) {
    return map.AddError(
        "get",
        "must be a path with or without a query, with no placeholders except {key} and {client}");
  }
  if (get.find("{key}") == std::string::npos) return map.AddError("get", "must contain {key}");
  const auto scoped_by = [&](ScopeRule::Kind kind) {
    return std::ranges::any_of(policy.scope,
                               [&](const ScopeRule& rule) { return rule.kind == kind; });
  };
  if (scoped_by(ScopeRule::Kind::kClient) && get.find("{client}") == std::string::npos) {
    map.AddError("get", "must contain {client}: two clients may have the same key in this scope");
  }
  if (scoped_by(ScopeRule::Kind::kHeader)) {
    map.AddError("get",
                 "cannot be used with a header field in the scope: equal keys under two values of "
                 "the field would find each other's effect");
  }
}

bool IsOneOf(std::string_view name, std::span<const std::string_view> fields) {
  return std::ranges::find(fields, ToLower(name)) != fields.end();
}

// The proxy sets these fields itself: they describe framing and coding of a request.
bool IsOwnField(std::string_view name) {
  constexpr std::string_view kOwn[] = {
      "connection", "content-length",  "transfer-encoding", "te",
      "trailer",    "upgrade",         "accept-encoding",   "expect",
      "keep-alive", "proxy-connection"};
  return IsOneOf(name, kOwn);
}

// The proxy sends the key to the backend in this field, so it must not be a field that the proxy
// sets: that value would be lost, or the caller's key would frame the message.
void CheckKeyHeader(MapReader& map, const std::string& header) {
  constexpr std::string_view kWritten[] = {
      "host",        "via",          "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
      "x-client-id", "x-request-id", "content-type"};
  if (!IsOwnField(header) && !IsOneOf(header, kWritten)) return;
  map.AddError("header", "has another meaning; the key needs a field of its own");
}

bool IsFieldValue(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

void ReadLookUpHeaders(const Node& node, idempotency::ReconcileRule& rule, ConfigErrors& mistakes) {
  const MapReader fields(node, mistakes);
  for (const Entry& entry : node.entries) {
    if (!IsToken(entry.key)) {
      AddError(entry.value, "is not a valid field name", mistakes);
    } else if (IsOwnField(entry.key)) {
      AddError(entry.value, "is a field that the proxy sets itself", mistakes);
    }
    const std::string* value = TextOf(entry.value, mistakes);
    if (value == nullptr) continue;
    if (!IsFieldValue(*value)) AddError(entry.value, "contains a control character", mistakes);
    rule.headers.emplace_back(entry.key, *value);
  }
}

void ReadReconcile(MapReader& map, Policy& policy, ConfigErrors& mistakes) {
  if (map.Is("reconcile", "off")) return;
  const Node* node = map.Find("reconcile");
  if (node == nullptr) return;
  idempotency::ReconcileRule& rule = policy.reconcile.emplace();
  MapReader reconcile(*node, mistakes);
  reconcile.Require("get");
  if (reconcile.ReadText("get", rule.get)) CheckLookUp(reconcile, rule.get, policy);
  if (const Node* headers = reconcile.Find("headers")) {
    ReadLookUpHeaders(*headers, rule, mistakes);
  }
  reconcile.Require("found");
  reconcile.ReadNumber("found", rule.found, {200, 299});
  if (reconcile.ReadText("found_when", rule.found_when) &&
      !idempotency::IsJsonPointer(rule.found_when)) {
    reconcile.AddError("found_when", "is not a JSON pointer to a member, such as /order/id");
  }
  reconcile.ReadTime("after", rule.after, kLifeRange);
  reconcile.ReadTime("interval", rule.interval, {std::chrono::seconds(1), std::chrono::hours(24)});
  reconcile.RefuseUnknownKeys();
}

void ReadWaits(MapReader& map, Policy& policy) {
  constexpr Choice<InProgress> kInProgress[] = {{"wait", InProgress::kWait},
                                                {"reject", InProgress::kReject}};
  map.ReadTime("ttl", policy.ttl, kLifeRange);
  map.ReadTime("unknown_ttl", policy.unknown_ttl, kLifeRange);
  map.ReadChoice("in_progress", policy.in_progress, kInProgress);
  map.ReadTime("wait_timeout", policy.wait_timeout, {milliseconds(0), std::chrono::hours(1)});
  map.ReadNumber("max_waiters_per_key", policy.max_waiters_per_key, {0, 10'000});
  if (!map.Is("lease", "auto")) map.ReadTime("lease", policy.lease, kWaitRange);
  map.ReadTime("record_timeout", policy.record_timeout, {milliseconds(1), std::chrono::hours(1)});
}

}  // namespace

void ReadIdempotency(MapReader& route, exchange::Route& to, ConfigErrors& mistakes) {
  const Node* node = FindSwitch(route, "idempotency");
  if (node == nullptr) return;
  using idempotency::Mode;
  constexpr Choice<Mode> kModes[] = {{"enforce", Mode::kEnforce}, {"observe", Mode::kObserve}};
  constexpr Choice<std::uint16_t> kMismatchStatuses[] = {{"409", 409}, {"422", 422}};
  constexpr Choice<std::uint16_t> kInProgressStatuses[] = {
      {"503", 503}, {"409", 409}, {"425", 425}, {"429", 429}};
  constexpr Choice<std::uint16_t> kUnknownStatuses[] = {{"auto", 0},  {"504", 504}, {"503", 503},
                                                        {"502", 502}, {"500", 500}, {"409", 409}};
  Policy policy;
  MapReader map(*node, mistakes);
  map.ReadChoice("mode", policy.mode, kModes);
  ReadMethods(map, "methods", policy.methods, mistakes);
  ReadFieldName(map, "header", policy.header);
  CheckKeyHeader(map, policy.header);
  map.ReadFlag("required", policy.required);
  ReadScope(map, to.authenticate.has_value(), policy, mistakes);
  ReadFingerprint(map, policy.recipe, mistakes);
  map.ReadChoice("mismatch_status", policy.mismatch_status, kMismatchStatuses);
  map.ReadChoice("in_progress_status", policy.in_progress_status, kInProgressStatuses);
  map.ReadChoice("unknown_status", policy.unknown_status, kUnknownStatuses);
  ReadWaits(map, policy);
  map.ReadSize("max_recorded_body", policy.max_recorded_body, {0, 64 << 20});
  map.ReadFlag("upstream_idempotent", policy.upstream_idempotent);
  ReadFieldNames(map, "replay_drop", policy.replay_drop, mistakes);
  ReadResponses(map, policy, mistakes);
  ReadReconcile(map, policy, mistakes);
  map.RefuseUnknownKeys();
  to.idempotency = std::move(policy);
}

}  // namespace idem::config

// Reads `upstreams`, and the URL that a route may give instead of a name.
#include "proxy/config/sections.h"

namespace idem::config {

namespace {

Error Invalid(const char* why) { return {ErrorCode::kInvalid, why}; }

void ReadUrl(MapReader& map, forward::UpstreamOptions& options) {
  std::string text;
  map.Require("url");
  if (!map.ReadText("url", text)) return;
  auto url = ParseUpstreamUrl(text);
  if (!url) return map.AddError("url", url.error().detail);
  options.endpoints = {url->endpoint};
  if (url->tls) options.tls.emplace();
}

// The path of the socket takes the place of host and port.
Result<UpstreamUrl> ParseSocketUrl(std::string_view address, bool tls) {
  if (tls) return Invalid("must begin with http://, because a Unix socket is used without TLS");
  auto endpoint = event::Endpoint::Parse(address);
  if (!endpoint) return std::move(endpoint).error();
  return UpstreamUrl{.endpoint = *std::move(endpoint), .tls = false};
}

}  // namespace

Result<UpstreamUrl> ParseUpstreamUrl(std::string_view text) {
  UpstreamUrl url;
  if (text.starts_with("https://")) {
    url.tls = true;
  } else if (!text.starts_with("http://")) {
    return Invalid("must be a URL such as http://127.0.0.1:9000 or http://unix:/run/backend.sock");
  }
  text.remove_prefix(url.tls ? 8 : 7);
  if (text.starts_with("unix:/")) return ParseSocketUrl(text, url.tls);
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find('@') != std::string_view::npos)
    return Invalid("must not contain a user or a password");
  if (text.find_first_of("/?#") != std::string_view::npos) {
    return Invalid("must end after host and port: the path comes from each request");
  }
  std::string address(text);
  const bool has_port =
      text.find(':', text.starts_with('[') ? text.find(']') : 0) != std::string_view::npos;
  if (!has_port) address += url.tls ? ":443" : ":80";
  const auto endpoint = event::Endpoint::Parse(address);
  if (!endpoint || !endpoint->unix_path.empty() || endpoint->port == 0) {
    return Invalid("must name a host, and a port from 1 to 65535, such as http://127.0.0.1:9000");
  }
  url.endpoint = *endpoint;
  return url;
}

void ReadUpstreams(MapReader& root, Draft& draft) {
  const Node* node = root.Find("upstreams");
  if (node == nullptr) return;
  const MapReader upstreams(*node, draft.mistakes);
  for (const Entry& entry : node->entries) {
    forward::UpstreamOptions options;
    options.name = entry.key;
    if (entry.key.find("://") != std::string::npos) {
      AddError(entry.value, "has a URL as its name; use a word", draft.mistakes);
    }
    MapReader map(entry.value, draft.mistakes);
    ReadUrl(map, options);
    ReadUpstreamTls(map, options, draft);
    const TimeRange waits{milliseconds(1), std::chrono::hours(1)};
    map.ReadTime("connect_timeout", options.connect_timeout, waits);
    map.ReadTime("response_timeout", options.response_timeout, waits);
    map.ReadTime("claim_idle", options.claim_idle, {milliseconds(0), std::chrono::hours(1)});
    map.ReadNumber("keepalive", options.keepalive, {0, 100'000});
    map.ReadTime("idle_timeout", options.idle_timeout, kWaitRange);
    map.ReadNumber("max_in_flight", options.max_in_flight, {1, 1'000'000});
    map.ReadTime("queue_timeout", options.queue_timeout, {milliseconds(0), std::chrono::hours(1)});
    map.RefuseUnknownKeys();
    draft.config.upstreams.push_back(std::move(options));
  }
}

std::optional<std::size_t> ReadUpstreamOfRoute(const Node& value, Draft& draft) {
  const std::string* text = TextOf(value, draft.mistakes);
  if (text == nullptr) return std::nullopt;
  auto& upstreams = draft.config.upstreams;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    if (upstreams[i].name == *text) return i;
    names.push_back(upstreams[i].name);
  }
  if (text->find("://") == std::string::npos) {
    AddError(value, "is neither the name of an upstream nor a URL" + DidYouMean(*text, names),
             draft.mistakes);
    return std::nullopt;
  }
  auto url = ParseUpstreamUrl(*text);
  if (!url) {
    AddError(value, url.error().detail, draft.mistakes);
    return std::nullopt;
  }
  forward::UpstreamOptions options;
  options.name = *text;
  options.endpoints = {url->endpoint};
  if (url->tls) {
    const auto used = forward::UseTls(options.tls.emplace());
    if (!used) AddError(value, used.error().detail, draft.mistakes);
  }
  upstreams.push_back(std::move(options));
  return upstreams.size() - 1;
}

}  // namespace idem::config

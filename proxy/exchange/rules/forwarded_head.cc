#include "proxy/exchange/rules/forwarded_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "proxy/exchange/rules/override_fields.h"
#include "proxy/idempotency/key.h"

namespace idem::exchange {

using http::EqualsIgnoreCase;
using http::ReadsAs;

namespace {

// Reserved for the fields that the proxy adds, so that a head need not grow line by line. Longer
// fields only cost another allocation.
constexpr std::size_t kOwnTextBytes = 256;
constexpr std::size_t kOwnLines = 10;

template <std::size_t N>
bool IsOneOf(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view other) { return EqualsIgnoreCase(name, other); });
}

constexpr std::array<std::string_view, 10> kHopByHop = {
    "Connection", "Keep-Alive",        "Proxy-Connection", "TE",     "Trailer",
    "Upgrade",    "Transfer-Encoding", "Content-Length",   "Expect", "HTTP2-Settings"};

constexpr std::array<std::string_view, 8> kProtected = {
    "Host",          "Content-Length",   "Transfer-Encoding", "Content-Type",
    "Authorization", "Content-Encoding", "Idempotency-Key",   "Expect"};

constexpr std::array<std::string_view, 6> kRateLimit = {
    "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy",
    "RateLimit",         "X-Request-Id"};

// The fields that only the proxy may set on a response to a claim.
constexpr std::array<std::string_view, 2> kClaimFields = {"Idempotent-Replayed",
                                                          "Idempotency-Status"};

// Connection rarely names fields, so the names are looked up again for each field instead of being
// kept in a list.
bool PassesThrough(const http::Fields& fields, std::string_view name, bool has_connection) {
  return !IsHopByHop(name) && !(has_connection && fields.HasToken("Connection", name));
}

// Returns whether the proxy writes this request field itself.
bool IsReplaced(const ForwardedRequest& request, std::string_view name) {
  if (ReadsAs(name, "X-Request-Id") || EqualsIgnoreCase(name, "Via") ||
      ReadsAs(name, "X-Forwarded-For")) {
    return true;
  }
  if (ReadsAs(name, "X-Forwarded-Proto") || ReadsAs(name, "X-Forwarded-Host")) {
    return !request.peer_trusted;
  }
  if (EqualsIgnoreCase(name, "Proxy-Authorization")) return true;
  // The proxy alone vouches for a client; a trusted proxy passes on what its callers sent.
  if (ReadsAs(name, "X-Client-Id")) return true;
  // CGI turns it into HTTP_PROXY, which many programs obey (CVE-2016-5385).
  if (EqualsIgnoreCase(name, "Proxy")) return true;
  if (request.route != nullptr && IsDroppedOverride(*request.route, name)) return true;
  if (request.identity_encoding && EqualsIgnoreCase(name, "Accept-Encoding")) return true;
  return !request.key_header.empty() && ReadsAs(name, request.key_header);
}

// Returns the value of Max-Forwards, capped at the largest countable number (RFC 9110, section
// 7.6.2), or nullopt if it is no number.
std::optional<unsigned> HopsLeft(std::string_view value) {
  unsigned hops = 0;
  const char* const end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, hops);
  if (parsed.ptr != end || parsed.ec == std::errc::invalid_argument) return std::nullopt;
  if (parsed.ec == std::errc::result_out_of_range) return std::numeric_limits<unsigned>::max();
  return hops;
}

// HasNoHopLeft() has excluded zero.
std::string OneHopLess(std::string_view value) {
  const auto hops = HopsLeft(value);
  return hops && *hops > 0 ? std::to_string(*hops - 1) : std::string(value);
}

void AddAppended(const http::Fields& received, std::string_view name, std::string_view own,
                 http::Fields& to) {
  if (received.Count(name) == 0) {
    to.Add(name, own);
    return;
  }
  std::string joined;
  for (const http::FieldLine line : received) {
    if (!EqualsIgnoreCase(line.name, name) || line.value.empty()) continue;
    joined.append(line.value);
    joined.append(", ");
  }
  joined.append(own);
  to.Add(name, joined);
}

// A key that another reader of its bare form would take for another key goes on in quotes.
void AddKey(const ForwardedRequest& request, http::Fields& to) {
  if (idempotency::HasBareForm(request.key)) {
    to.Add(request.key_header, request.key);
  } else {
    to.Add(request.key_header, idempotency::QuotedForm(request.key));
  }
}

}  // namespace

bool IsHopByHop(std::string_view name) { return IsOneOf(name, kHopByHop); }

bool NamesProtectedField(const http::Fields& fields) {
  if (fields.Count("Connection") == 0) return false;
  return std::ranges::any_of(
      kProtected, [&](std::string_view name) { return fields.HasToken("Connection", name); });
}

bool HasNoHopLeft(const http::RequestHead& request) {
  if (request.method != "OPTIONS") return false;
  for (const http::FieldLine line : request.fields) {
    if (EqualsIgnoreCase(line.name, "Max-Forwards") && HopsLeft(line.value) == 0U) return true;
  }
  return false;
}

void BuildUpstreamHead(const ForwardedRequest& request, http::RequestHead& to) {
  const http::RequestHead& from = *request.received;
  to.method = from.method;
  to.target = from.target;
  to.version = http::Version::kHttp11;
  to.keep_alive = true;
  to.fields.Clear();
  to.fields.Reserve(from.fields.text_bytes() + kOwnTextBytes, from.fields.size() + kOwnLines);
  const bool has_connection = from.fields.Count("Connection") != 0;
  for (const http::FieldLine line : from.fields) {
    if (!PassesThrough(from.fields, line.name, has_connection)) continue;
    if (IsReplaced(request, line.name)) continue;
    const bool counts_hops =
        from.method == "OPTIONS" && EqualsIgnoreCase(line.name, "Max-Forwards");
    if (counts_hops) {
      to.fields.Add(line.name, OneHopLess(line.value));
    } else {
      to.fields.Add(line.name, line.value);
    }
  }
  // An HTTP/1.0 request may have none, and HTTP/1.1 requires it.
  if (from.fields.Count("Host") == 0) to.fields.Add("Host", "");
  if (request.identity_encoding) to.fields.Add("Accept-Encoding", "identity");
  if (!request.key_header.empty()) AddKey(request, to.fields);
  if (!request.client_id.empty()) to.fields.Add("X-Client-Id", request.client_id);
  AddAppended(from.fields, "X-Forwarded-For", request.peer->address, to.fields);
  if (to.fields.Count("X-Forwarded-Proto") == 0) {
    to.fields.Add("X-Forwarded-Proto", request.peer->tls ? "https" : "http");
  }
  if (to.fields.Count("X-Forwarded-Host") == 0) to.fields.Add("X-Forwarded-Host", from.host());
  to.fields.Add("X-Request-Id", request.request_id);
  AddAppended(from.fields, "Via",
              from.version == http::Version::kHttp10 ? "1.0 idemproxy" : "1.1 idemproxy",
              to.fields);
}

void BuildLookUpHead(const LookUpRequest& request, http::RequestHead& to) {
  to.Clear();
  to.method = "GET";
  to.target = request.target;
  to.fields.Add("Host", request.asker->host());
  to.fields.Add("X-Request-Id", request.request_id);
  if (!request.client_id.empty()) to.fields.Add("X-Client-Id", request.client_id);
  to.fields.Add("Via", "1.1 idemproxy");
  for (const auto& [name, value] : request.headers) to.fields.Set(name, value);
  to.fields.Set("Accept-Encoding", "identity");
}

http::BodyLength WholeBodyLength(const http::RequestHead& received, std::uint64_t bytes) {
  const bool has_body = received.body.kind != http::BodyLength::Kind::kNone ||
                        received.method == "POST" || received.method == "PUT" ||
                        received.method == "PATCH";
  return has_body ? http::BodyLength::Known(bytes) : http::BodyLength{};
}

http::BodyLength StreamedLength(std::string_view method, const http::ResponseHead& response) {
  if (method != "HEAD") return response.body;
  std::uint64_t length = 0;
  const auto given = response.fields.Find("Content-Length").value_or("");
  const auto parsed = std::from_chars(given.data(), given.data() + given.size(), length);
  return !given.empty() && parsed.ec == std::errc() ? http::BodyLength::Known(length)
                                                    : response.body;
}

http::ResponseHead HeadForClient(const http::ResponseHead& response, ResponseOrigin origin) {
  http::ResponseHead head;
  head.status = response.status;
  head.reason = response.reason;
  head.fields.Reserve(response.fields.text_bytes() + kOwnTextBytes,
                      response.fields.size() + kOwnLines);
  const bool has_connection = response.fields.Count("Connection") != 0;
  for (const http::FieldLine line : response.fields) {
    if (!PassesThrough(response.fields, line.name, has_connection)) continue;
    if (origin == ResponseOrigin::kClaim && IsOneOf(line.name, kClaimFields)) continue;
    head.fields.Add(line.name, line.value);
  }
  return head;
}

std::string_view FrameWhole(std::string_view method, std::string_view body,
                            http::ResponseHead& head) {
  const bool no_body = http::HasNoBody(method, head.status);
  head.body =
      no_body && method != "HEAD" ? http::BodyLength{} : http::BodyLength::Known(body.size());
  return no_body ? std::string_view() : body;
}

void CopyRecorded(const http::Fields& from, std::span<const std::string> drop, http::Fields& to) {
  to.Reserve(from.text_bytes(), from.size());
  const bool has_connection = from.Count("Connection") != 0;
  for (const http::FieldLine line : from) {
    if (!PassesThrough(from, line.name, has_connection)) continue;
    if (EqualsIgnoreCase(line.name, "Date") || IsOneOf(line.name, kRateLimit)) continue;
    if (IsOneOf(line.name, kClaimFields)) continue;
    const bool dropped = std::ranges::any_of(
        drop, [&](const std::string& name) { return EqualsIgnoreCase(line.name, name); });
    if (!dropped) to.Add(line.name, line.value);
  }
}

}  // namespace idem::exchange

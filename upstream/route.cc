#include "upstream/route.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "proxy/base/hex.h"
#include "upstream/idempotency_key.h"

namespace idem::upstream {

namespace {

constexpr std::string_view kRead = "GET, HEAD";
constexpr std::string_view kReadAndCreate = "GET, HEAD, POST";

bool IsRead(const http::RequestHead& head) { return head.method == "GET" || head.method == "HEAD"; }

OrderResponse BadQuery(std::string_view detail) { return ProblemAnswer(400, "bad-query", detail); }

/// Decodes %XX only. `+` stays, because a key may hold it and may not hold a space.
std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    std::array<std::uint8_t, 1> byte{};
    if (!FromHex(text.substr(i + 1, 2), byte)) return std::nullopt;
    decoded.push_back(static_cast<char>(byte[0]));
    i += 2;
  }
  return decoded;
}

/// Reads GET /orders?idempotency_key=K. Other parameters are ignored.
Route ReadQuery(std::string_view query) {
  constexpr std::string_view kName = "idempotency_key=";
  std::optional<std::string_view> raw;
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    if (!parameter.starts_with(kName)) continue;
    if (raw) return BadQuery("idempotency_key is given twice");
    raw = parameter.substr(kName.size());
  }
  if (!raw || raw->empty()) return BadQuery("the query must name an idempotency_key");
  auto key = PercentDecoded(*raw);
  if (!key) return BadQuery("idempotency_key is not percent-encoded correctly");
  for (const char c : *key) {
    if (c < '!' || c > '~')
      return BadQuery("idempotency_key holds a character that no key may hold");
  }
  return FindOrderByKey{*std::move(key)};
}

/// Compares the media type without its parameters (RFC 9110, section 8.3.1).
bool IsJson(const http::Fields& fields) {
  if (fields.Count("Content-Type") != 1 || fields.Find("Content-Encoding")) return false;
  std::string_view type = *fields.Find("Content-Type");
  type = type.substr(0, type.find(';'));
  type = type.substr(0, type.find_last_not_of(" \t") + 1);
  return http::EqualsIgnoreCase(type, "application/json");
}

Route ReadCreate(const http::RequestHead& head, bool key_required) {
  if (!IsJson(head.fields)) {
    return ProblemAnswer(415, "unsupported-media-type",
                         "the body must be application/json without a content coding");
  }
  auto key = ReadIdempotencyKey(head.fields);
  if (!key) return ProblemAnswer(400, "key-invalid", key.error().detail);
  if (!*key && key_required) {
    return ProblemAnswer(400, "key-missing", "the request must carry an Idempotency-Key");
  }
  return CreateOrder{*std::move(key)};
}

}  // namespace

Route ReadRoute(const http::RequestHead& head, bool key_required) {
  constexpr std::string_view kOrders = "/orders";
  constexpr std::string_view kOneOrder = "/orders/";
  const std::string_view target = head.target;
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == kOrders) {
    if (head.method == "POST") return ReadCreate(head, key_required);
    if (!IsRead(head)) return MethodNotAllowed(kReadAndCreate);
    return ReadQuery(target.substr(std::min(target.size(), path.size() + 1)));
  }
  if (path == "/healthz") {
    if (!IsRead(head)) return MethodNotAllowed(kRead);
    return ShowHealth{};
  }
  const std::string_view id = path.substr(std::min(path.size(), kOneOrder.size()));
  if (path.starts_with(kOneOrder) && IsUuid(id)) {
    if (!IsRead(head)) return MethodNotAllowed(kRead);
    return FindOrderById{std::string(id)};
  }
  return ProblemAnswer(404, "not-found", "no resource has this path");
}

}  // namespace idem::upstream

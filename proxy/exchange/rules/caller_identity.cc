#include "proxy/exchange/rules/caller_identity.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "proxy/base/hex.h"
#include "proxy/idempotency/key.h"

namespace idem::exchange {

namespace {

constexpr std::size_t kRequestIdMax = 128;

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= kRequestIdMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

// Returns the network that is counted: an IPv4 address itself, or the first 64 bits of an IPv6
// address.
std::string LimitedAddress(std::string_view address) {
  std::array<std::uint8_t, 16> bytes{};
  const std::string text(address);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  char network[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, bytes.data(), network, sizeof network);
  return std::string(network) + "/64";
}

class Decimal {
 public:
  explicit Decimal(std::int64_t value)
      : size_(static_cast<std::size_t>(
            std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr -
            digits_.data())) {}
  [[nodiscard]] std::string_view text() const { return {digits_.data(), size_}; }

 private:
  std::array<char, 24> digits_;
  std::size_t size_;
};

}  // namespace

bool IsTrusted(std::string_view address, std::span<const Cidr> trusted) {
  return std::ranges::any_of(trusted, [&](const Cidr& block) { return block.Contains(address); });
}

std::string_view ClientAddress(std::string_view peer, const http::Fields& fields,
                               std::span<const Cidr> trusted) {
  std::string_view address = peer;
  for (std::size_t i = fields.size(); i-- > 0;) {
    if (!http::EqualsIgnoreCase(fields[i].name, "X-Forwarded-For")) continue;
    std::string_view list = fields[i].value;
    while (!list.empty() && IsTrusted(address, trusted)) {
      const std::size_t comma = list.rfind(',');
      std::string_view entry = comma == std::string_view::npos ? list : list.substr(comma + 1);
      list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
      entry.remove_prefix(std::min(entry.find_first_not_of(" \t"), entry.size()));
      if (const auto last = entry.find_last_not_of(" \t"); last != std::string_view::npos) {
        address = entry.substr(0, last + 1);
      }
    }
  }
  return address;
}

std::string WholeValue(const http::Fields& fields, std::string_view name) {
  std::string whole;
  bool first = true;
  for (const http::FieldLine line : fields) {
    if (!http::EqualsIgnoreCase(line.name, name)) continue;
    if (!std::exchange(first, false)) whole.append(", ");
    whole.append(line.value);
  }
  return whole;
}

std::string ChooseRequestId(const http::Fields& fields, Random& random) {
  if (const auto given = fields.Find("X-Request-Id"); given && IsRequestId(*given)) {
    return std::string(*given);
  }
  std::array<std::uint8_t, 16> bytes{};
  random.Fill(bytes);
  return ToHex(bytes);
}

std::string LimitSubject(const Route& route, const RateLimitOptions& options,
                         std::string_view address, std::string_view client,
                         const http::Fields& fields) {
  std::string text;
  idempotency::ScopePart part;
  switch (options.by) {
    case RateLimitOptions::By::kAddress:
      text = LimitedAddress(address);
      part = {"address", text};
      break;
    case RateLimitOptions::By::kClient:
      part = {"client", client};
      break;
    case RateLimitOptions::By::kHeader:
      text = WholeValue(fields, options.header);
      part = {options.header, text};
      break;
  }
  const std::array<idempotency::ScopePart, 2> parts = {{{"route", route.name}, part}};
  return idempotency::RecordKey(parts, "");
}

ports::LimitRequest AskLimit(const Route& route, std::string_view address, std::string_view client,
                             const http::Fields& fields, Random& random) {
  return {LimitSubject(route, *route.rate_limit, address, client, fields),
          idempotency::Token::Make(random), route.rate_limit->rule};
}

void AddLimitFields(const ports::LimitRule& rule, const ports::LimitResult& result,
                    http::Fields& to) {
  using std::chrono::ceil;
  using std::chrono::seconds;
  const Decimal limit(rule.requests);
  const Decimal remaining(result.remaining);
  const Decimal reset(ceil<seconds>(result.reset).count());
  const Decimal window(ceil<seconds>(rule.per).count());
  const auto join = [](std::initializer_list<std::string_view> pieces) {
    std::string text;
    for (const std::string_view piece : pieces) text.append(piece);
    return text;
  };
  to.Set("X-RateLimit-Limit", limit.text());
  to.Set("X-RateLimit-Remaining", remaining.text());
  to.Set("X-RateLimit-Reset", reset.text());
  to.Set("RateLimit-Policy", join({"\"default\";q=", limit.text(), ";w=", window.text()}));
  to.Set("RateLimit", join({"\"default\";r=", remaining.text(), ";t=", reset.text()}));
}

}  // namespace idem::exchange

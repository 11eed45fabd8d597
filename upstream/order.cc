#include "upstream/order.h"

#include <array>
#include <cctype>
#include <cstdint>

#include "proxy/base/hex.h"
#include "proxy/base/json_writer.h"
#include "upstream/decimal.h"

namespace idem::upstream {

namespace {

constexpr std::array<std::size_t, 4> kHyphens{8, 13, 18, 23};
constexpr std::size_t kUuidSize = 36;

}  // namespace

std::string ToJson(const Order& order) {
  std::string text = R"({"order":{"id":)";
  AppendJsonString(order.id, text);
  text += R"(,"user_id":)";
  AppendJsonString(order.request.user_id, text);
  text += R"(,"item":)";
  AppendJsonString(order.request.item, text);
  text += R"(,"amount":)";
  text += order.request.amount;
  text += R"(,"idempotency_key":)";
  if (order.key) {
    AppendJsonString(*order.key, text);
  } else {
    text += "null";
  }
  text += R"(,"created_at":)";
  AppendJsonString(order.created_at, text);
  text += "}}";
  return text;
}

bool SameOrder(const OrderRequest& a, const OrderRequest& b) {
  return a.user_id == b.user_id && a.item == b.item && SameValue(a.amount, b.amount);
}

std::string NewUuid(Random& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.Fill(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  std::string text = ToHex(bytes);
  for (const std::size_t at : kHyphens) text.insert(at, 1, '-');
  return text;
}

bool IsUuid(std::string_view text) {
  if (text.size() != kUuidSize) return false;
  std::string digits(text);
  for (auto at = kHyphens.rbegin(); at != kHyphens.rend(); ++at) {
    if (digits[*at] != '-') return false;
    digits.erase(*at, 1);
  }
  std::array<std::uint8_t, 16> bytes{};
  return FromHex(digits, bytes);
}

}  // namespace idem::upstream

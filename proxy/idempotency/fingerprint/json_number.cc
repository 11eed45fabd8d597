#include "proxy/idempotency/fingerprint/json_number.h"

#include <charconv>
#include <cstdint>

namespace idem::idempotency {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::size_t CountDigits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  return count;
}

// The value 0.DIGITS * 10^point. DIGITS has no zero at either end and is empty for zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t point = 0;
};

bool ReadExponent(std::string_view text, std::int64_t& exponent) {
  constexpr std::int64_t kExponentMax = 1'000'000'000'000;
  if (text.empty()) return true;
  if (text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  return error == std::errc() && end == text.data() + text.size() &&
         std::abs(exponent) <= kExponentMax;
}

bool ReadDecimal(std::string_view number, Decimal& decimal) {
  decimal.negative = number.front() == '-';
  if (decimal.negative) number.remove_prefix(1);
  const std::size_t e = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, e);
  if (e != std::string_view::npos && !ReadExponent(number.substr(e + 1), decimal.point)) {
    return false;
  }
  const std::size_t dot = mantissa.find('.');
  const std::string_view whole = mantissa.substr(0, dot);
  decimal.point += static_cast<std::int64_t>(whole.size());
  decimal.digits = whole;
  if (dot != std::string_view::npos) decimal.digits.append(mantissa.substr(dot + 1));

  const std::size_t first = decimal.digits.find_first_not_of('0');
  if (first == std::string::npos) return decimal = Decimal(), true;
  decimal.digits.resize(decimal.digits.find_last_not_of('0') + 1);
  decimal.digits.erase(0, first);
  decimal.point -= static_cast<std::int64_t>(first);
  return true;
}

void AppendExponentForm(const Decimal& decimal, std::string& to) {
  to.push_back(decimal.digits.front());
  if (decimal.digits.size() > 1) to.append(".").append(decimal.digits, 1);
  const std::int64_t exponent = decimal.point - 1;
  to.append(exponent < 0 ? "e" : "e+").append(std::to_string(exponent));
}

}  // namespace

std::string_view ScanJsonNumber(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = CountDigits(text.substr(at));
  if (whole == 0) return {};
  at += text[at] == '0' ? 1 : whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = CountDigits(text.substr(at + 1));
    if (fraction == 0) return {};
    at += 1 + fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t sign = text.substr(at + 1).find_first_of("+-") == 0 ? 1 : 0;
    const std::size_t exponent = CountDigits(text.substr(at + 1 + sign));
    if (exponent == 0) return {};
    at += 1 + sign + exponent;
  }
  return text.substr(0, at);
}

bool AppendCanonicalNumber(std::string_view number, std::string& to) {
  constexpr std::int64_t kPlainPointMin = -5;  // 0.000001
  constexpr std::int64_t kPlainPointMax = 21;
  Decimal decimal;
  if (!ReadDecimal(number, decimal)) return false;
  if (decimal.digits.empty()) return to.push_back('0'), true;
  if (decimal.negative) to.push_back('-');
  if (decimal.point < kPlainPointMin || decimal.point > kPlainPointMax) {
    return AppendExponentForm(decimal, to), true;
  }
  const auto digits = static_cast<std::int64_t>(decimal.digits.size());
  if (decimal.point <= 0) {
    to.append("0.").append(static_cast<std::size_t>(-decimal.point), '0').append(decimal.digits);
  } else if (decimal.point >= digits) {
    to.append(decimal.digits).append(static_cast<std::size_t>(decimal.point - digits), '0');
  } else {
    const auto point = static_cast<std::size_t>(decimal.point);
    to.append(decimal.digits, 0, point).append(".").append(decimal.digits, point);
  }
  return true;
}

}  // namespace idem::idempotency

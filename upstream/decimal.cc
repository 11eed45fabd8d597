#include "upstream/decimal.h"

#include <algorithm>
#include <charconv>

namespace idem::upstream {

namespace {

// With a larger exponent a plain decimal always has too many digits.
constexpr long kExponentMax = 1'000'000;

long ReadExponent(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  long exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error == std::errc::result_out_of_range) {
    exponent = text.starts_with('-') ? -kExponentMax : kExponentMax;
  }
  return std::clamp(exponent, -kExponentMax, kExponentMax);
}

std::string_view WithoutTrailingFraction(std::string_view number) {
  if (number.find('.') == std::string_view::npos) return number;
  number = number.substr(0, number.find_last_not_of('0') + 1);
  if (number.ends_with('.')) number.remove_suffix(1);
  return number;
}

}  // namespace

std::optional<std::string> ToPlainDecimal(std::string_view json_number, std::size_t digits_max) {
  const bool negative = json_number.starts_with('-');
  if (negative) json_number.remove_prefix(1);
  const std::size_t e = json_number.find_first_of("eE");
  const std::string_view mantissa = json_number.substr(0, e);
  const long exponent = e == std::string_view::npos ? 0 : ReadExponent(json_number.substr(e + 1));
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());

  // The digits, and the number of digits before the moved point.
  std::string digits(mantissa.substr(0, point));
  if (point < mantissa.size()) digits += mantissa.substr(point + 1);
  long before = static_cast<long>(point) + exponent;
  const auto zeros = std::min(digits.find_first_not_of('0'), digits.size());
  const auto leading = std::clamp(before - 1, 0L, static_cast<long>(zeros));
  digits.erase(0, static_cast<std::size_t>(leading));
  before -= leading;

  const long size = static_cast<long>(digits.size());
  const long written = std::max(size, before) + std::max(0L, 1 - before);
  if (written > static_cast<long>(digits_max)) return std::nullopt;
  if (before < 1) {
    digits.insert(0, static_cast<std::size_t>(1 - before), '0');
    before = 1;
  }
  if (before > size) digits.resize(static_cast<std::size_t>(std::max(before, size)), '0');
  if (before < static_cast<long>(digits.size())) {
    digits.insert(static_cast<std::size_t>(before), 1, '.');
  }
  return negative ? "-" + digits : digits;
}

bool IsPositive(std::string_view written_out) {
  return !written_out.starts_with('-') &&
         written_out.find_first_of("123456789") != std::string_view::npos;
}

bool SameValue(std::string_view a, std::string_view b) {
  return WithoutTrailingFraction(a) == WithoutTrailingFraction(b);
}

}  // namespace idem::upstream

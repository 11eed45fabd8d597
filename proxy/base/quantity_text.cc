#include "proxy/base/quantity_text.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <variant>

namespace idem {

namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr Unit kTimeUnits[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizeUnits[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

enum class Trouble { kNoNumber, kNoUnit, kTooLarge };

// Reads a whole number and one of `units`. Returns it in the smallest unit.
std::variant<std::uint64_t, Trouble> ParseWithUnit(std::string_view text,
                                                   std::span<const Unit> units) {
  const auto digits =
      static_cast<std::size_t>(std::ranges::find_if_not(text, IsDigit) - text.begin());
  if (digits == 0) return Trouble::kNoNumber;
  const auto unit = std::ranges::find_if(
      units, [&](const Unit& candidate) { return candidate.name == text.substr(digits); });
  if (unit == units.end()) return Trouble::kNoUnit;
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto number = ParseWholeNumber(text.substr(0, digits));
  if (!number || *number > kMax / unit->factor) return Trouble::kTooLarge;
  return *number * unit->factor;
}

// Writes the number in the largest unit that divides it.
std::string WithUnit(std::uint64_t number, std::span<const Unit> units) {
  const Unit* best = units.data();
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) best = &unit;
  }
  return std::to_string(number / best->factor).append(best->name);
}

Error Invalid(const char* why) { return {ErrorCode::kInvalid, why}; }

}  // namespace

std::optional<std::uint64_t> ParseWholeNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<milliseconds> ParseDuration(std::string_view text) {
  const auto parsed = ParseWithUnit(text, kTimeUnits);
  if (const auto* count = std::get_if<std::uint64_t>(&parsed)) {
    return milliseconds(static_cast<milliseconds::rep>(*count));
  }
  return std::get<Trouble>(parsed) == Trouble::kTooLarge
             ? Invalid("is too long a time")
             : Invalid("is not a duration such as 250ms, 30s, 5m, 24h or 7d");
}

std::string ToText(milliseconds duration) {
  const bool in_days = duration >= std::chrono::hours(24 * 7);  // most people write 24h, not 1d
  const auto units = std::span(kTimeUnits).first(in_days ? 5 : 4);
  return WithUnit(static_cast<std::uint64_t>(duration.count()), units);
}

Result<std::uint64_t> ParseSize(std::string_view text) {
  const auto parsed = ParseWithUnit(text, kSizeUnits);
  if (const auto* bytes = std::get_if<std::uint64_t>(&parsed)) return *bytes;
  return std::get<Trouble>(parsed) == Trouble::kTooLarge
             ? Invalid("is too large")
             : Invalid("is not a size such as 512, 64KiB, 1MiB or 2GiB");
}

std::string SizeToText(std::uint64_t bytes) { return WithUnit(bytes, kSizeUnits); }

}  // namespace idem

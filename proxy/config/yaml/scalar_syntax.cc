#include "proxy/config/yaml/scalar_syntax.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <span>
#include <variant>

namespace idem::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr Unit kTimeUnits[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizeUnits[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

enum class Trouble { kNoNumber, kNoUnit, kTooLarge };

// A whole number and one of `units`, in the smallest of them.
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

// The number in the largest unit that divides it.
std::string WithUnit(std::uint64_t number, std::span<const Unit> units) {
  const Unit* best = units.data();
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) best = &unit;
  }
  return std::to_string(number / best->factor).append(best->name);
}

Error Invalid(const char* why) { return {ErrorCode::kInvalid, why}; }

// Levenshtein's distance, capital letters and small ones being the same.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  const std::string from = ToLower(a);
  const std::string to = ToLower(b);
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (const char c : from) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (c == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

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
  const bool in_days = duration >= std::chrono::hours(24 * 7);  // most people write 24h for one
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

std::optional<std::uint64_t> ParseWholeNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::pair<std::uint16_t, std::uint16_t>> ParseStatuses(std::string_view text) {
  const auto invalid = [] {
    return Invalid("is not a status such as 503, or a class such as 5xx");
  };
  if (text.size() != 3 || text[0] < '2' || text[0] > '5') return invalid();
  const auto hundreds = static_cast<std::uint16_t>((text[0] - '0') * 100);
  if (text.substr(1) == "xx") return std::pair(hundreds, static_cast<std::uint16_t>(hundreds + 99));
  const auto status = ParseWholeNumber(text);
  if (!status) return invalid();
  return std::pair(static_cast<std::uint16_t>(*status), static_cast<std::uint16_t>(*status));
}

bool IsToken(std::string_view text) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return IsDigit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kPunctuation.find(c) != std::string_view::npos;
  });
}

bool IsVisible(std::string_view text, std::size_t size_max) {
  return !text.empty() && text.size() <= size_max &&
         std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
}

std::string ToLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Nearest(std::string_view text, const std::vector<std::string_view>& known) {
  constexpr std::size_t kTextMax = 64;  // of what was written; the rest is no slip of the finger
  if (text.size() > kTextMax) return "";
  std::string_view nearest;
  std::size_t distance_max = std::max<std::size_t>(1, text.size() / 3) + 1;  // exclusive
  for (const std::string_view candidate : known) {
    const std::size_t distance = EditDistance(text, candidate);
    if (distance >= distance_max) continue;
    distance_max = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string OneOf(const std::vector<std::string_view>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += names[i];
  }
  return list;
}

}  // namespace idem::config

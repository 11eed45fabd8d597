#include "proxy/config/yaml/scalar_syntax.h"

#include <algorithm>
#include <numeric>

namespace idem::config {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Error Invalid(const char* why) { return {ErrorCode::kInvalid, why}; }

// Returns the Levenshtein distance, ignoring case.
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
  constexpr std::size_t kTextMax = 64;  // a longer text is not a typing mistake
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

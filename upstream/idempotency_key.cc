#include "upstream/idempotency_key.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace idem::upstream {

namespace {

constexpr std::string_view kField = "Idempotency-Key";
constexpr std::size_t kKeyBytesMax = 255;

Error Invalid(const char* detail) { return {ErrorCode::kInvalid, detail}; }

// A comma outside of quotes is where an intermediary joined two field lines.
bool HasComma(std::string_view text) { return text.find(',') != std::string_view::npos; }

// Returns the text of a value that is one string (RFC 9651, section 3.3.3), with or without
// parameters, or nullopt.
std::optional<std::string> Unquoted(std::string_view value) {
  std::string text;
  bool escaped = false;
  for (std::size_t i = 1; i < value.size(); ++i) {
    const char c = value[i];
    if (escaped) {
      if (c != '"' && c != '\\') return std::nullopt;
    } else if (c == '"') {
      const std::string_view rest = value.substr(i + 1);
      const bool is_last = (rest.empty() || rest.front() == ';') && !HasComma(rest);
      return is_last ? std::optional(std::move(text)) : std::nullopt;
    }
    escaped = !escaped && c == '\\';
    if (!escaped) text += c;
  }
  return std::nullopt;
}

bool IsVisible(char c) { return c >= '!' && c <= '~'; }

}  // namespace

Result<std::optional<std::string>> ReadIdempotencyKey(const http::Fields& fields) {
  const auto value = fields.Find(kField);
  if (!value) return std::optional<std::string>();
  if (fields.Count(kField) > 1) return Invalid("there is more than one Idempotency-Key field line");
  const bool quoted = value->starts_with('"');
  if (!quoted && HasComma(*value)) {
    return Invalid("the key holds a comma outside quotes, as two merged field lines would");
  }
  auto key = quoted ? Unquoted(*value) : std::optional<std::string>(*value);
  if (!key) return Invalid("the key begins with a quote and is not a string of RFC 9651");
  if (key->empty()) return Invalid("the key is empty");
  if (key->size() > kKeyBytesMax) return Invalid("the key is longer than 255 characters");
  if (!std::ranges::all_of(*key, IsVisible)) {
    return Invalid("the key holds a space, a control or a character outside ASCII");
  }
  return key;
}

}  // namespace idem::upstream

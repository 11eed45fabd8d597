#include "proxy/idempotency/key.h"

#include <optional>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/hex.h"
#include "proxy/http/percent_encoding.h"

namespace idem::idempotency {

namespace {

constexpr std::string_view kReserved = "=;";

// Checks a key of either form after it was unquoted.
KeyResult CheckKey(std::string key) {
  if (key.empty()) return KeyInvalid{"the key is empty"};
  if (key.size() > kKeyBytesMax) return KeyInvalid{"the key is longer than 255 characters"};
  for (const char c : key) {
    if (c < '!' || c > '~') {
      return KeyInvalid{"the key holds a space, a control or a character outside ASCII"};
    }
  }
  return key;
}

// Removes the string at the start of `value` and returns it unescaped (RFC 9651, section 4.2.5).
// Returns nullopt if there is none.
std::optional<std::string> TakeString(std::string_view& value) {
  std::string text;
  for (std::size_t at = 1; at < value.size(); ++at) {
    if (value[at] == '"') {
      value.remove_prefix(at + 1);
      return text;
    }
    if (value[at] == '\\') {
      ++at;
      if (at == value.size() || (value[at] != '"' && value[at] != '\\')) return std::nullopt;
    }
    text.push_back(value[at]);
  }
  return std::nullopt;
}

// Parameters are not parsed. A comma after the string means a second key, from a field line that
// was merged with the first.
KeyResult ReadQuoted(std::string_view value) {
  std::optional<std::string> text = TakeString(value);
  const bool only_parameters = value.empty() || value.front() == ';';
  if (!text || !only_parameters || value.find(',') != std::string_view::npos) {
    return KeyInvalid{"the key begins with a quote and is not a string of RFC 9651"};
  }
  return CheckKey(std::move(*text));
}

KeyResult ReadBare(std::string_view value) {
  if (value.find(',') != std::string_view::npos) {
    return KeyInvalid{"the key holds a comma outside quotes, as two merged field lines would"};
  }
  return CheckKey(std::string(value));
}

}  // namespace

KeyResult ReadKey(const http::Fields& fields, std::string_view header) {
  const std::optional<std::string_view> value = fields.Find(header);
  if (!value) return KeyMissing{};
  if (fields.Count(header) > 1) return KeyInvalid{"there is more than one field line with a key"};
  return value->starts_with('"') ? ReadQuoted(*value) : ReadBare(*value);
}

bool HasBareForm(std::string_view key) {
  return !key.starts_with('"') && key.find(',') == std::string_view::npos;
}

std::string QuotedForm(std::string_view key) {
  std::string quoted(1, '"');
  for (const char c : key) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

std::string RecordKey(std::span<const ScopePart> scope, std::string_view key) {
  std::string record_key;
  for (const ScopePart& part : scope) {
    http::AppendPercentEncoded(part.name, kReserved, record_key);
    record_key.push_back('=');
    http::AppendPercentEncoded(part.value, kReserved, record_key);
    record_key.push_back(';');
  }
  http::AppendPercentEncoded(key, kReserved, record_key);
  return record_key;
}

std::string KeyHash(std::string_view record_key) {
  constexpr std::size_t kShownBytes = 8;
  const Sha256Digest digest = Sha256::Of(record_key);
  return ToHex(std::span(digest).first<kShownBytes>());
}

}  // namespace idem::idempotency

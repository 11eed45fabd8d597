#include "proxy/config/secret_text.h"

#include <algorithm>

namespace idem::config {

namespace {

constexpr std::size_t kSecretBytesMax = 4096;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool IsControl(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

bool HasByteOrderMark(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") || text.starts_with("\xff\xfe") ||
         text.starts_with("\xfe\xff");
}

// "$SHOP_SECRET": in a shell it is the variable's value, here it would be the secret itself.
bool IsBareVariable(std::string_view text) {
  if (text.size() < 2 || text.front() != '$' || (text[1] >= '0' && text[1] <= '9')) return false;
  return std::ranges::all_of(text.substr(1), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string_view WrongWithSecret(std::string_view secret) {
  if (secret.empty()) return "is an empty secret, with which anyone could sign";
  if (secret.size() > kSecretBytesMax) return "is longer than 4096 bytes";
  if (HasByteOrderMark(secret)) return "begins with a byte order mark: save it as plain text";
  if (std::ranges::any_of(secret, IsControl)) {
    return "holds a control character, as UTF-16 does: save it as plain text";
  }
  if (IsBlank(secret.front()) || IsBlank(secret.back())) {
    return "has a blank at an end, which no caller signs with";
  }
  if (secret.front() == '#') return "begins with #: a comment would be a secret, so it is refused";
  if (IsBareVariable(secret)) return "is a variable's name and not its value: write ${NAME}";
  return "";
}

}  // namespace idem::config

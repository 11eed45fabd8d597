#include "proxy/http/target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "proxy/http/characters.h"
#include "proxy/http/fields.h"

namespace idem::http {

namespace {

constexpr ParseError kNotATarget{400, "bad-request", "the request target has none of its forms"};
constexpr ParseError kBadCharacter{
    400, "bad-request", "the request target holds a character that must be percent-encoded"};
constexpr ParseError kBadPercent{400, "bad-request",
                                 "the request target holds a % without two hexadecimal digits"};
constexpr ParseError kBadAuthority{400, "bad-request",
                                   "the request target's authority is not a host"};

bool BeginsWithEscape(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && Is(text[1], kHexDigit) && Is(text[2], kHexDigit);
}

// Accepts pchar and "/" (RFC 3986, section 3.3). A query may also hold "?" (section 3.4) and the
// characters that clients of the URL Standard leave unencoded there, mostly square brackets; no
// reader gives these another meaning.
bool IsPathChar(char c) {
  return Is(c, kUnreserved | kSubDelimiter) || c == ':' || c == '@' || c == '/';
}
bool IsQueryChar(char c) {
  constexpr std::string_view kTolerated = "?[]{}|\\^`";
  return IsPathChar(c) || kTolerated.find(c) != std::string_view::npos;
}

const ParseError* CheckPathAndQuery(std::string_view text) {
  bool in_query = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (!BeginsWithEscape(text.substr(i))) return &kBadPercent;
      i += 2;
    } else if (c == '?') {
      in_query = true;
    } else if (!(in_query ? IsQueryChar(c) : IsPathChar(c))) {
      return &kBadCharacter;
    }
  }
  return nullptr;
}

// Accepts IPv6address (RFC 3986, section 3.2.2), whose grammar is the C library's.
bool IsIpv6Address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size()) return false;
  std::ranges::copy(text, terminated.begin());
  in6_addr address{};
  return inet_pton(AF_INET6, terminated.data(), &address) == 1;
}

// IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
bool IsAddressOfTheFuture(std::string_view text) {
  if (text.empty() || (text.front() != 'v' && text.front() != 'V')) return false;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view version = text.substr(1, dot - 1);
  const std::string_view address = text.substr(dot + 1);
  const auto is_allowed = [](char c) { return Is(c, kUnreserved | kSubDelimiter) || c == ':'; };
  return !version.empty() && AllAre(version, kHexDigit) && !address.empty() &&
         std::ranges::all_of(address, is_allowed);
}

// Returns whether `text` may stand between the brackets of an IP-literal.
bool IsInsideOfIpLiteral(std::string_view text) {
  constexpr std::string_view kAddressChars = "0123456789abcdefABCDEF:.";
  if (text.find_first_not_of(kAddressChars) == std::string_view::npos) return IsIpv6Address(text);
  return IsAddressOfTheFuture(text);
}

// Removes the host from the front of `text`.
bool SkipHost(std::string_view& text) {
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !IsInsideOfIpLiteral(text.substr(1, end - 1)))
      return false;
    text.remove_prefix(end + 1);
    return true;
  }
  while (!text.empty() && text.front() != ':') {
    const bool escape = BeginsWithEscape(text);
    if (!escape && !Is(text.front(), kUnreserved | kSubDelimiter)) return false;
    text.remove_prefix(escape ? 3 : 1);
  }
  return true;
}

// Returns the length of "http://" or "https://" at the front of `text`, in any case (RFC 3986,
// section 3.1), or 0.
std::size_t SchemeBytes(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (EqualsIgnoreCase(text.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

const ParseError* ParseAbsoluteForm(std::string_view text, Target& target) {
  const std::size_t scheme_bytes = SchemeBytes(text);
  if (scheme_bytes == 0) return &kNotATarget;
  text.remove_prefix(scheme_bytes);
  const std::size_t authority_bytes = std::min(text.find_first_of("/?"), text.size());
  target.absolute = true;
  target.authority = text.substr(0, authority_bytes);
  target.resource = text.substr(authority_bytes);
  // These schemes forbid an empty host (RFC 9110, section 4.2.1), and a recipient refuses user
  // information (section 4.2.4), which "@" in the host would be.
  const bool has_host = !target.authority.empty() && target.authority.front() != ':';
  if (!has_host || !IsHostAndPort(target.authority)) return &kBadAuthority;
  return CheckPathAndQuery(target.resource);
}

}  // namespace

bool IsHostAndPort(std::string_view text) {
  if (!SkipHost(text)) return false;
  return text.empty() || (text.front() == ':' && AllAre(text.substr(1), kDecimalDigit));
}

const ParseError* ParseTarget(std::string_view method, std::string_view text, Target& target) {
  target = {.resource = text, .authority = {}, .absolute = false};
  if (method == "CONNECT") {  // section 3.2.3
    const bool has_port = text.find_last_of(':') != std::string_view::npos;
    return has_port && text.front() != ':' && IsHostAndPort(text) ? nullptr : &kNotATarget;
  }
  if (text.front() == '/') return CheckPathAndQuery(text);
  if (text == "*") return method == "OPTIONS" ? nullptr : &kNotATarget;
  return ParseAbsoluteForm(text, target);
}

}  // namespace idem::http

#include "proxy/idempotency/fingerprint/multipart.h"

#include <algorithm>
#include <cstdint>

#include "proxy/http/fields.h"

namespace idem::idempotency {

namespace {

constexpr std::size_t kBoundaryMax = 70;  // RFC 2046
constexpr std::string_view kType = "multipart/";
constexpr std::string_view kParameter = "boundary=";

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t from = text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

bool StartsWithIgnoreCase(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && http::EqualsIgnoreCase(text.substr(0, start.size()), start);
}

bool IsBoundary(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kBoundaryMax && text.back() != ' ' &&
         std::ranges::all_of(text, fits);
}

// Up to the next `;` that no quotes hold.
std::string_view TakeParameter(std::string_view& rest) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != ';'); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    if (rest[end] == '\\' && quoted) ++end;
  }
  end = std::min(end, rest.size());
  const std::string_view parameter = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return parameter;
}

void AppendLength(std::uint64_t length, std::string& to) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<char>(length >> shift));
}

}  // namespace

std::optional<MultipartType> ReadMultipartType(std::string_view content_type) {
  if (!StartsWithIgnoreCase(content_type, kType)) return std::nullopt;
  MultipartType type;
  for (std::string_view rest = content_type; !rest.empty();) {
    const std::string_view parameter = Trim(TakeParameter(rest));
    if (!StartsWithIgnoreCase(parameter, kParameter)) {
      type.rest.append(parameter).push_back(';');
      continue;
    }
    std::string_view value = parameter.substr(kParameter.size());
    const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    if (quoted) value = value.substr(1, value.size() - 2);
    if (!type.boundary.empty() || !IsBoundary(value)) return std::nullopt;
    type.boundary = value;
  }
  if (type.boundary.empty()) return std::nullopt;
  return type;
}

bool AppendParts(std::string_view boundary, std::string_view body, std::string& to) {
  const std::string delimiter = "\r\n--" + std::string(boundary);
  if (!body.starts_with(std::string_view(delimiter).substr(2))) return false;
  body.remove_prefix(delimiter.size() - 2);
  while (body.starts_with("\r\n")) {
    body.remove_prefix(2);
    const std::size_t end = body.find(delimiter);
    if (end == std::string_view::npos) return false;
    AppendLength(end, to);
    to.append(body.substr(0, end));
    body.remove_prefix(end + delimiter.size());
  }
  return body == "--" || body == "--\r\n";
}

}  // namespace idem::idempotency

#include "proxy/exchange/rules/lenient_path.h"

#include <algorithm>
#include <utility>

#include "proxy/http/percent_encoding.h"

namespace idem::exchange {

namespace {

using Segments = std::vector<std::string_view>;

// Enough for any server: each round needs a `%25` of its own. What is still escaped then stays so.
constexpr int kDecodingsMax = 8;

char Fold(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '\\' ? '/' : c;
}

std::string Decode(std::string_view raw) {
  std::string path(raw);
  for (int round = 0; round < kDecodingsMax; ++round) {
    std::string decoded = http::DecodeEscapes(path);
    const bool changed = decoded.size() != path.size();
    path = std::move(decoded);
    if (!changed) break;
  }
  // A server that decodes before it splits sees these as the end of the path.
  path.resize(std::min(path.find_first_of(std::string_view("?#\0", 3)), path.size()));
  std::ranges::transform(path, path.begin(), Fold);
  return path;
}

bool IsBlank(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }

// A segment without its parameters, the blanks around it and the dots at its end. `.` and `..` stay.
std::string_view Trim(std::string_view segment) {
  segment = segment.substr(0, segment.find(';'));
  while (!segment.empty() && IsBlank(segment.front())) segment.remove_prefix(1);
  while (!segment.empty() && IsBlank(segment.back())) segment.remove_suffix(1);
  if (segment == "." || segment == "..") return segment;
  while (!segment.empty() && (segment.back() == '.' || IsBlank(segment.back()))) {
    segment.remove_suffix(1);
  }
  return segment;
}

Segments Split(std::string_view path) {
  Segments segments;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view segment = Trim(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (!segment.empty() && segment != ".") segments.push_back(segment);
  }
  return segments;
}

Segments Resolve(const Segments& segments) {
  Segments resolved;
  for (const std::string_view segment : segments) {
    if (segment != "..") {
      resolved.push_back(segment);
    } else if (!resolved.empty()) {
      resolved.pop_back();
    }
  }
  return resolved;
}

std::string Join(const Segments& segments) {
  std::string path;
  for (const std::string_view segment : segments) {
    path.push_back('/');
    path.append(segment);
  }
  return path;
}

// "/v1/pay.json" -> "/v1/pay". A name that begins with a dot has no suffix.
std::string_view WithoutSuffix(std::string_view path) {
  const std::size_t begin = path.rfind('/') + 1;
  const std::size_t dot = path.rfind('.');
  const bool has_suffix = dot != std::string_view::npos && dot > begin && path[dot - 1] != '.';
  return has_suffix ? path.substr(0, dot) : path;
}

void AddReading(std::string_view reading, std::vector<std::string>& readings) {
  if (std::ranges::find(readings, reading) == readings.end()) readings.emplace_back(reading);
}

bool Covers(std::string_view route, std::string_view reading, bool prefix) {
  if (!prefix) return reading == route;
  if (!reading.starts_with(route)) return false;
  return reading.size() == route.size() || reading[route.size()] == '/';
}

}  // namespace

bool HasOneReading(std::string_view path) {
  if (path.size() < 2 || path.front() != '/' || path.back() == '/') return false;
  char before = '\0';
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                       (c == '/' && before != '/');
    if (!plain) return false;
    before = c;
  }
  return true;
}

std::vector<std::string> LenientReadings(std::string_view path) {
  const std::string decoded = Decode(path);
  const Segments segments = Split(decoded);
  std::vector<std::string> readings;
  for (const Segments& variant : {Resolve(segments), segments}) {
    const std::string reading = Join(variant);
    AddReading(reading, readings);
    AddReading(WithoutSuffix(reading), readings);
  }
  return readings;
}

LenientRoutePath::LenientRoutePath(std::string_view path) {
  const std::string decoded = Decode(path);
  whole = Join(Resolve(Split(decoded)));
  stem = WithoutSuffix(whole);
}

bool LenientRoutePath::Matches(std::string_view reading, bool prefix) const {
  return Covers(whole, reading, prefix) || (!prefix && reading == stem);
}

}  // namespace idem::exchange

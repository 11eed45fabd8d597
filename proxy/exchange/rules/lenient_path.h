// How lenient servers read a path. Real servers take more spellings of `/v1/pay` to one handler than
// RFC 3986 makes equal: another case, path parameters (`;x=1`), a trailing slash, dot or blank, a
// suffix such as `.json`, escapes that are decoded twice. A request that is spelled so must not reach
// a protected handler by an unprotected route (semantics.md, "Routes").
//
// A reading is deliberately wider than any single server's: the union of what twenty of them accept.
// A reading is used to refuse a request and never to choose its route.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace idem::exchange {

/// Returns true if the only reading of `path` is `path`: lower case, digits, `-`, `_` and single
/// slashes, with no slash at the end.
[[nodiscard]] bool HasOneReading(std::string_view path);

/// Returns the readings of the path of a request, without repeats: one or more. Each is in lower
/// case, decoded until nothing is left to decode, with path parameters and the blanks and dots at the
/// end of a segment cut, and without a slash at the end ("/" is ""). One reading has `..` resolved,
/// another keeps it (some servers match a prefix first); each comes with and without the suffix of
/// its last segment.
[[nodiscard]] std::vector<std::string> LenientReadings(std::string_view path);

/// The path of a route in the form of a reading.
struct LenientRoutePath {
  explicit LenientRoutePath(std::string_view path);

  /// Returns true if a server may take a request with this reading to the route. `prefix`: the route
  /// serves every path below it.
  [[nodiscard]] bool Matches(std::string_view reading, bool prefix) const;

  std::string whole;
  std::string stem;  // without the suffix of its last segment; a route for one path has it too
};

}  // namespace idem::exchange

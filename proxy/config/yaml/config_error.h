// Errors of a configuration file, with their places.
#pragma once

#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace idem::config {

/// A line and a column, counted from 1. 0 stands for the whole file.
struct SourcePosition {
  int line = 0;
  int column = 0;
  auto operator<=>(const SourcePosition&) const = default;
};

struct ConfigError {
  std::string file;
  SourcePosition place;
  std::string path;  // "routes[0].rate_limit.per"; empty for the whole file
  std::string what;  // "is not a duration such as ...": a predicate of the path

  /// Returns "FILE:LINE:COLUMN: path.to.key: what is wrong", without missing parts.
  [[nodiscard]] std::string ToText() const;
  bool operator==(const ConfigError&) const = default;
};

/// Collects the errors of one file. A value under `defaults:` is read once for each route, but its
/// error is reported once.
class ConfigErrors {
 public:
  explicit ConfigErrors(std::string file) : file_(std::move(file)) {}

  void Add(SourcePosition place, std::string path, std::string what);
  [[nodiscard]] bool empty() const { return found_.empty(); }
  /// Returns the errors in the order of their places.
  [[nodiscard]] std::vector<ConfigError> Take() &&;

 private:
  std::string file_;
  std::set<std::tuple<SourcePosition, std::string, std::string>> found_;  // place, path, what
};

}  // namespace idem::config

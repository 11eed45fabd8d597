// What is wrong with a configuration file, and where.
#pragma once

#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace idem::config {

/// A line and a column, both counted from 1; 0: the file as a whole.
struct SourcePosition {
  int line = 0;
  int column = 0;
  auto operator<=>(const SourcePosition&) const = default;
};

struct ConfigError {
  std::string file;
  SourcePosition place;
  std::string path;  // "routes[0].rate_limit.per"; "" for the file as a whole
  std::string what;  // "is not a duration such as ...": a predicate of the path

  /// "FILE:LINE:COLUMN: path.to.key: what is wrong", without the parts that there are not.
  [[nodiscard]] std::string ToText() const;
  bool operator==(const ConfigError&) const = default;
};

/// Gathers the mistakes of one file. A value that is read twice (below `defaults:`, once for each
/// route) is complained of once.
class ConfigErrors {
 public:
  explicit ConfigErrors(std::string file) : file_(std::move(file)) {}

  void Add(SourcePosition place, std::string path, std::string what);
  [[nodiscard]] bool empty() const { return found_.empty(); }
  /// In the order of their places.
  [[nodiscard]] std::vector<ConfigError> Take() &&;

 private:
  std::string file_;
  std::set<std::tuple<SourcePosition, std::string, std::string>> found_;  // place, path, what
};

}  // namespace idem::config

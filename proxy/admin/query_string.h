// Parser of the query of a request's target: `state=unknown&route=orders`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace idem::admin {

class Query {
 public:
  /// Decodes %XX, and `+` as a space. Returns nullopt if a % does not begin %XX or if a name occurs
  /// twice.
  static std::optional<Query> Parse(std::string_view target);

  /// Returns the value, or "" if there is no such parameter.
  [[nodiscard]] std::string_view Find(std::string_view name) const;
  /// Returns the first name that is not in `known`, or "".
  [[nodiscard]] std::string_view UnknownName(std::initializer_list<std::string_view> known) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace idem::admin

// The query of a request's target: `state=unknown&route=orders`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace idem::admin {

class Query {
 public:
  /// Names and values percent-decoded, `+` as a blank. nullopt where a % does not begin %XX, or a
  /// name comes twice.
  static std::optional<Query> Parse(std::string_view target);

  /// "" where there is none.
  [[nodiscard]] std::string_view Find(std::string_view name) const;
  /// The first name that is none of `known`; "" where all are.
  [[nodiscard]] std::string_view UnknownName(std::initializer_list<std::string_view> known) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace idem::admin

// Parses JSON text (RFC 8259) into values. Only this file uses nlohmann/json; json_writer.h writes
// JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"

namespace idem {

/// One JSON value that owns its members. A lookup that finds nothing, or a value of another kind,
/// returns an empty result, because text from outside may have any shape.
class JsonValue {
 public:
  enum class Kind : std::uint8_t { kNull, kFlag, kNumber, kText, kList, kObject };

  /// Returns kInvalid if `text` is not exactly one JSON value or is nested deeper than kDepthMax.
  static Result<JsonValue> Parse(std::string_view text);
  static constexpr int kDepthMax = 32;

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] std::optional<std::string_view> text() const;
  [[nodiscard]] std::optional<std::int64_t> whole_number() const;
  [[nodiscard]] std::optional<bool> flag() const;
  // Empty unless this is a list.
  [[nodiscard]] const std::vector<JsonValue>& items() const { return items_; }
  using Member = std::pair<std::string, JsonValue>;
  // Empty unless this is an object.
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  /// Returns the member, or null if this is no object or has no such member.
  [[nodiscard]] const JsonValue& operator[](std::string_view name) const;

 private:
  friend class JsonBuilder;

  Kind kind_ = Kind::kNull;
  bool flag_ = false;
  std::optional<std::int64_t> whole_number_;
  std::string text_;
  std::vector<JsonValue> items_;
  std::vector<Member> members_;
};

}  // namespace idem

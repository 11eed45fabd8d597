// Reading JSON text (RFC 8259) into values. The one home of nlohmann/json; writing is json_text.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/result.h"

namespace idem {

/// One value and all that lies in it. What is asked of it and is not there, or is something else,
/// is nothing: text from outside is never trusted to have a shape.
class JsonValue {
 public:
  enum class Kind : std::uint8_t { kNull, kFlag, kNumber, kText, kList, kObject };

  /// kInvalid for what is not one JSON value, or lies deeper than kDepthMax.
  static Result<JsonValue> Parse(std::string_view text);
  static constexpr int kDepthMax = 32;

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] std::optional<std::string_view> text() const;
  [[nodiscard]] std::optional<std::int64_t> whole_number() const;
  [[nodiscard]] std::optional<bool> flag() const;
  [[nodiscard]] const std::vector<JsonValue>& items() const { return items_; }  // of a list
  using Member = std::pair<std::string, JsonValue>;
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }  // of an object
  /// Of an object; else, or where there is none, a null.
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

#include "proxy/base/json.h"

#include <limits>

#include <nlohmann/json.hpp>

namespace idem {

/// Builds values from the events of nlohmann's parser.
class JsonBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  using Kind = JsonValue::Kind;

  bool null() override { return Add(Kind::kNull) != nullptr; }
  bool boolean(bool value) override { return Add(Kind::kFlag)->flag_ = value, true; }
  bool number_integer(number_integer_t value) override {
    return Add(Kind::kNumber)->whole_number_ = value, true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    JsonValue* const number = Add(Kind::kNumber);
    const bool fits = value <= std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    if (fits) number->whole_number_ = static_cast<std::int64_t>(value);
    return true;
  }
  bool number_float(number_float_t, const string_t&) override {
    return Add(Kind::kNumber) != nullptr;
  }
  bool string(string_t& text) override { return Add(Kind::kText)->text_ = std::move(text), true; }
  bool binary(binary_t&) override { return false; }  // JSON text has no binary values
  bool start_object(std::size_t) override { return Open(Kind::kObject); }
  bool start_array(std::size_t) override { return Open(Kind::kList); }
  bool end_object() override { return open_.pop_back(), true; }
  bool end_array() override { return open_.pop_back(), true; }
  bool key(string_t& name) override {
    open_.back()->members_.emplace_back(std::move(name), JsonValue());
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

  JsonValue Take() { return std::move(root_); }

 private:
  // A pointer in open_ stays valid: an open value is the last child of its parent, and the parent
  // gets no other child until this one is closed.
  JsonValue* Add(Kind kind) {
    JsonValue* value = &root_;
    if (!open_.empty()) {
      JsonValue& parent = *open_.back();
      value = parent.kind_ == Kind::kObject ? &parent.members_.back().second
                                            : &parent.items_.emplace_back();
    }
    value->kind_ = kind;
    return value;
  }
  bool Open(Kind kind) {
    if (open_.size() >= JsonValue::kDepthMax) return false;
    open_.push_back(Add(kind));
    return true;
  }

  JsonValue root_;
  std::vector<JsonValue*> open_;
};

Result<JsonValue> JsonValue::Parse(std::string_view text) {
  JsonBuilder builder;
  if (!nlohmann::json::sax_parse(text, &builder)) return Error{ErrorCode::kInvalid, "is not JSON"};
  return builder.Take();
}

std::optional<std::string_view> JsonValue::text() const {
  if (kind_ != Kind::kText) return std::nullopt;
  return text_;
}

std::optional<std::int64_t> JsonValue::whole_number() const { return whole_number_; }

std::optional<bool> JsonValue::flag() const {
  if (kind_ != Kind::kFlag) return std::nullopt;
  return flag_;
}

const JsonValue& JsonValue::operator[](std::string_view name) const {
  static const JsonValue kNothing;
  for (const Member& member : members_) {
    if (member.first == name) return member.second;
  }
  return kNothing;
}

}  // namespace idem

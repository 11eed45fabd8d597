#include "upstream/order_request.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "upstream/decimal.h"

namespace idem::upstream {

namespace {

std::size_t CountCodePoints(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80;
  }));
}

/// Receives the events of nlohmann's parser. Uses only the members of the outermost object.
/// Continues after an error, because a text that is not JSON at all is reported first.
class OrderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return OnOther(); }
  bool boolean(bool) override { return OnOther(); }
  bool number_integer(number_integer_t value) override { return OnNumber(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return OnNumber(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return OnNumber(text); }
  bool binary(binary_t&) override { return OnOther(); }  // JSON has none
  bool string(string_t& text) override;
  bool key(string_t& name) override;
  bool start_object(std::size_t) override { return depth_ == 0 ? ++depth_ > 0 : OnNested(); }
  bool end_object() override { return --depth_, true; }
  bool start_array(std::size_t) override { return OnNested(); }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::json::exception& error) override;

  [[nodiscard]] Result<OrderRequest> Finish();

 private:
  enum class Member : std::uint8_t { kUserId, kItem, kAmount, kUnknown };
  static constexpr int kNumberOverflow = 406;  // the parser's: a double cannot hold it

  bool Refuse(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
    return true;
  }
  bool OnNumber(const std::string& text);
  bool OnOther();
  bool OnNested() { return OnOther() && ++depth_ > 0; }

  int depth_ = 0;
  Member member_ = Member::kUnknown;
  std::set<std::string> names_;
  std::optional<std::string> user_id_, item_, amount_;
  std::string reason_;
};

constexpr const char* kNotAnObject = "the body must be a JSON object";

bool OrderReader::key(string_t& name) {
  if (name.find('\0') != std::string::npos) return Refuse("a member's name holds \\u0000");
  if (depth_ > 1) return true;
  member_ = name == "user_id"  ? Member::kUserId
            : name == "item"   ? Member::kItem
            : name == "amount" ? Member::kAmount
                               : Member::kUnknown;
  if (names_.insert(name).second) return true;
  return Refuse(member_ == Member::kUnknown ? "a member comes twice" : name + " comes twice");
}

bool OrderReader::string(string_t& text) {
  if (depth_ == 0) return Refuse(kNotAnObject);
  if (text.find('\0') != std::string::npos) return Refuse("a string holds \\u0000");
  if (depth_ > 1 || member_ == Member::kUnknown) return true;
  if (member_ == Member::kAmount) return OnOther();
  const bool is_user = member_ == Member::kUserId;
  if (text.empty() || CountCodePoints(text) > kTextCharactersMax) {
    return Refuse(std::string(is_user ? "user_id" : "item") + " must have 1 to 255 characters");
  }
  (is_user ? user_id_ : item_) = text;
  return true;
}

bool OrderReader::OnNumber(const std::string& text) {
  if (depth_ != 1 || member_ != Member::kAmount) return OnOther();
  amount_ = ToPlainDecimal(text, kAmountDigitsMax);
  if (!amount_) return Refuse("amount must have at most 30 digits once written out");
  return IsPositive(*amount_) || Refuse("amount must be greater than zero");
}

// Called for a value of a wrong type. The value is allowed inside ignored members.
bool OrderReader::OnOther() {
  if (depth_ == 0) return Refuse(kNotAnObject);
  if (depth_ > 1) return true;
  switch (member_) {
    case Member::kUserId:
      return Refuse("user_id must be a string");
    case Member::kItem:
      return Refuse("item must be a string");
    case Member::kAmount:
      return Refuse("amount must be a number");
    case Member::kUnknown:
      return true;
  }
  return true;
}

bool OrderReader::parse_error(std::size_t position, const std::string&,
                              const nlohmann::json::exception& error) {
  reason_ = error.id == kNumberOverflow
                ? "a number must have at most 30 digits once written out"
                : "the body is not valid JSON in UTF-8, at byte " + std::to_string(position);
  return false;
}

Result<OrderRequest> OrderReader::Finish() {
  if (reason_.empty()) {
    if (!user_id_)
      Refuse("user_id is missing");
    else if (!item_)
      Refuse("item is missing");
    else if (!amount_)
      Refuse("amount is missing");
  }
  if (!reason_.empty()) return Error{ErrorCode::kInvalid, std::move(reason_)};
  return OrderRequest{*std::move(user_id_), *std::move(item_), *std::move(amount_)};
}

}  // namespace

Result<OrderRequest> ParseOrderRequest(std::string_view body) {
  OrderReader reader;
  nlohmann::json::sax_parse(body, &reader);
  return reader.Finish();
}

}  // namespace idem::upstream

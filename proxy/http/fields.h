// The field lines of one message, in their order (RFC 9110, section 5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace idem::http {

namespace fields_internal {
/// Requires two texts of the same size.
[[nodiscard]] bool SameLetters(std::string_view a, std::string_view b);
}  // namespace fields_internal

/// Returns whether two texts are equal under ASCII case folding, the rule for field names and most
/// tokens (RFC 9110, section 5.1). A request needs some hundred calls, and most are decided by the
/// sizes, so it is inline.
[[nodiscard]] inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && fields_internal::SameLetters(a, b);
}

/// Returns true if some backend takes a field `name` for the field `other`: CGI (RFC 3875, section
/// 4.1.18) and its heirs turn both `-` and `_` of a name into `_`, and letters into one case.
[[nodiscard]] bool ReadsAs(std::string_view name, std::string_view other);

struct FieldLine {
  std::string_view name;   // as received
  std::string_view value;  // without surrounding blanks
};

/// An ordered list of field lines that owns its text in one buffer. Clear() keeps the memory, so a
/// connection that reuses a list allocates nothing after its first messages. Returned views stay
/// valid until the list changes.
class Fields {
 public:
  void Add(std::string_view name, std::string_view value);
  /// Removes every line with that name (any case).
  void Remove(std::string_view name);
  /// Removes every line with that name and adds one at the end.
  void Set(std::string_view name, std::string_view value);
  void Clear();
  /// Reserves memory, so that adding this much costs at most one allocation.
  void Reserve(std::size_t text_bytes, std::size_t lines);

  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] bool empty() const { return lines_.empty(); }
  /// Returns the size of all names and values in bytes, removed lines included.
  [[nodiscard]] std::size_t text_bytes() const { return text_.size(); }
  [[nodiscard]] FieldLine operator[](std::size_t index) const {
    const Line& line = lines_[index];
    const char* text = text_.data();
    return {{text + line.name_begin, line.name_size}, {text + line.value_begin, line.value_size}};
  }

  /// Returns the value of the first line with that name, or nullopt.
  [[nodiscard]] std::optional<std::string_view> Find(std::string_view name) const;
  /// Returns how many lines have that name.
  [[nodiscard]] std::size_t Count(std::string_view name) const;
  /// Returns whether any line with that name, read as a comma-separated list, has `token` as a
  /// member. The comparison ignores case (RFC 9110, section 5.6.1).
  [[nodiscard]] bool HasToken(std::string_view name, std::string_view token) const;

  class Iterator {
   public:
    Iterator(const Fields* fields, std::size_t index) : fields_(fields), index_(index) {}
    FieldLine operator*() const { return (*fields_)[index_]; }
    Iterator& operator++() { return ++index_, *this; }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const Fields* fields_;
    std::size_t index_;
  };
  [[nodiscard]] Iterator begin() const { return {this, 0}; }
  [[nodiscard]] Iterator end() const { return {this, lines_.size()}; }

 private:
  struct Line {  // offsets into text_, which may be reallocated
    std::uint32_t name_begin, name_size, value_begin, value_size;
  };
  std::string text_;
  std::vector<Line> lines_;
};

/// Calls `visit(member)` for each non-empty member of a comma-separated list, with blanks trimmed
/// (RFC 9110, section 5.6.1.2). It does not handle quoted strings, so it is for lists of tokens
/// only.
template <class Visit>
void ForEachToken(std::string_view list, Visit visit) {
  constexpr std::string_view kBlanks = " \t";
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view member = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    const std::size_t first = member.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) continue;
    visit(member.substr(first, member.find_last_not_of(kBlanks) - first + 1));
  }
}

}  // namespace idem::http

// One SQL statement with its parameters, and the rows it gave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace idem::libpq {

/// A value for `$1`, `$2`, ... in the form in which it travels.
struct Parameter {
  std::string bytes;
  bool null = false;
  bool binary = false;     // PostgreSQL's binary form of `type`, else its text form
  std::uint32_t type = 0;  // an OID; 0 lets the server infer it from the statement

  static Parameter Text(std::string_view value) { return {std::string(value), false, false, 0}; }
  static Parameter Null() { return {{}, true, false, 0}; }
};

/// A one-dimensional array as a parameter, in binary form: no element needs quoting. What a grouped
/// statement hands to unnest().
class Array {
 public:
  enum class Of : std::uint8_t { kBytes, kInt64, kText };
  explicit Array(Of element);

  void Add(std::string_view element);  // kBytes; or kText, in UTF-8 without a NUL
  void AddInt64(std::int64_t element);
  void AddNull();

  [[nodiscard]] Parameter Take() &&;

 private:
  Of element_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  std::string elements_;
};

struct Statement {
  std::string sql;
  std::vector<Parameter> parameters;
  bool binary_rows = false;  // bytes come as they are, not in hex; of use for text and bytes alone
};

/// What a statement gave. Values are in PostgreSQL's text form, or in its binary form where the
/// statement asked for that, and good while this lives.
class Rows {
 public:
  explicit Rows(pg_result* result);  // takes it over
  [[nodiscard]] std::size_t size() const;
  /// nullopt for NULL. Asking beyond the result is a bug.
  [[nodiscard]] std::optional<std::string_view> Value(std::size_t row, std::size_t column) const;
  /// The same where NULL cannot be.
  [[nodiscard]] std::string_view Text(std::size_t row, std::size_t column) const;

 private:
  struct Free {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Free> result_;
};

}  // namespace idem::libpq

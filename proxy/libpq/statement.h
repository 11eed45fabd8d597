// One SQL statement with its parameters, and the rows that it returned.
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

/// A value for `$1`, `$2`, ... in its wire form.
struct Parameter {
  std::string bytes;
  bool null = false;
  bool binary = false;     // PostgreSQL's binary form of `type`; otherwise its text form
  std::uint32_t type = 0;  // an OID; 0 lets the server infer it from the statement

  static Parameter Text(std::string_view value) { return {std::string(value), false, false, 0}; }
  static Parameter Null() { return {{}, true, false, 0}; }
};

/// A one-dimensional array parameter in binary form, so that no element needs quoting. A batched
/// statement passes it to unnest().
class Array {
 public:
  enum class Of : std::uint8_t { kBytes, kInt64, kText };
  explicit Array(Of element);

  void Add(std::string_view element);  // for kBytes, or for kText as UTF-8 without NUL
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
  bool binary_rows = false;  // returns raw bytes instead of hex; only for columns of text and bytea
};

/// The rows that a statement returned. Values are in PostgreSQL's text form, or in its binary form
/// if the statement asked for it. They are valid while this object lives.
class Rows {
 public:
  explicit Rows(pg_result* result);  // takes ownership
  [[nodiscard]] std::size_t size() const;
  /// Returns nullopt for NULL. An index outside the result is a bug.
  [[nodiscard]] std::optional<std::string_view> Value(std::size_t row, std::size_t column) const;
  /// Returns the value of a column that is never NULL.
  [[nodiscard]] std::string_view Text(std::size_t row, std::size_t column) const;

 private:
  struct Free {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Free> result_;
};

}  // namespace idem::libpq

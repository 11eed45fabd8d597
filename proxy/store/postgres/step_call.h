// One step of idemproxy_steps(), which runs many in one statement: its parameters, and its row of
// the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/function.h"
#include "proxy/base/result.h"
#include "proxy/libpq/statement.h"
#include "proxy/ports/rate_limiter.h"

namespace idem::store {

/// A row of the result; only valid inside the call that passes it.
struct PostgresStepRow {
  const libpq::Rows& rows;
  std::size_t row;

  [[nodiscard]] std::optional<std::string_view> Value(std::size_t column) const {
    return rows.Value(row, column);
  }
};

struct PostgresStepCall {
  std::string_view ask;  // "begin", ...
  std::string id;        // "" for count
  std::string key;
  std::string token;
  std::string replaced;
  std::int64_t lease_ms = 0;
  std::int64_t keep_ms = 0;
  std::string rest;
  std::string subject;  // "": nothing is counted
  std::optional<ports::LimitRequest> limit;
  /// Called once, never inside Ask(). After kUnavailable or kTimeout the step may have taken
  /// effect.
  Function<void(Result<PostgresStepRow>)> on_answer;

  [[nodiscard]] std::size_t bytes() const { return key.size() + rest.size() + subject.size(); }
};

/// Builds the statement: an array for each parameter, an element for each step.
class PostgresStepArrays {
 public:
  void Add(const PostgresStepCall& call);
  [[nodiscard]] libpq::Statement Take() &&;

 private:
  using Array = libpq::Array;

  void AddLimit(const PostgresStepCall& call);

  Array asks_{Array::Of::kText}, ids_{Array::Of::kBytes}, keys_{Array::Of::kText},
      tokens_{Array::Of::kText}, replaced_{Array::Of::kText}, leases_{Array::Of::kInt64},
      keeps_{Array::Of::kInt64}, rests_{Array::Of::kBytes};
  Array subjects_{Array::Of::kBytes}, counted_{Array::Of::kText}, buckets_{Array::Of::kInt64},
      requests_{Array::Of::kInt64}, pers_{Array::Of::kInt64}, bursts_{Array::Of::kInt64};
};

}  // namespace idem::store

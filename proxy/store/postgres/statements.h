// What the store asks of its tables once they are there (postgres_schema.h).
#pragma once

#include <string>

namespace idem::store {

/// Asks the steps of a batch (postgres_steps.h): 14 arrays in, a row for each step out, in the
/// order of the arrays.
[[nodiscard]] std::string PostgresStepsSql();

/// One step of a walk over the records: the id behind which it begins, that before which it ends
/// (or null), how long an id is, and whether completed ones are wanted (1) or not (0).
[[nodiscard]] std::string PostgresListSql();
inline constexpr int kPostgresListRows = 1000;

/// A note's name in; whether it was written and what lies there out.
[[nodiscard]] std::string PostgresReadNoteSql();
/// The same for a name, what is replaced (or null) and a value.
[[nodiscard]] std::string PostgresWriteNoteSql();

/// Deletes some of what has expired, which reads as absent already: at most kPostgresSweepRows of
/// each table. Answers how many records went, how many of them were unknown.
[[nodiscard]] std::string PostgresSweepSql();
inline constexpr int kPostgresSweepRows = 500;

}  // namespace idem::store

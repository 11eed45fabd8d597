// What the store keeps in the database: its tables, and the functions that make the steps of a
// record there. postgres_schema.cc draws both.
#pragma once

#include <string>

namespace idem::store {

/// Raised with every change of a table or a function, which must then bring older tables along.
inline constexpr int kPostgresSchemaVersion = 1;

/// One statement that every new connection runs: makes what is missing, and fails with words for
/// the operator where the tables are of a newer version. Programs that start together take turns;
/// one that finds all in place locks nothing.
[[nodiscard]] std::string PostgresSchemaSql();

/// Asks the steps of a batch: 14 arrays in, a row for each step out, in the order of the arrays.
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

// What the store keeps in the database: its tables, which postgres_schema.cc draws, and the
// functions that make the steps of a record there (postgres_steps.h, postgres_limit.h).
#pragma once

#include <string>

namespace idem::store {

/// Raised with every change of a table or a function, which must then bring older tables along.
inline constexpr int kPostgresSchemaVersion = 1;

/// One statement that every new connection runs: makes what is missing, and fails with words for
/// the operator where the tables are of a newer version. Programs that start together take turns;
/// one that finds all in place locks nothing.
[[nodiscard]] std::string PostgresSchemaSql();

}  // namespace idem::store

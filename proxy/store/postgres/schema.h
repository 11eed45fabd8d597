// The tables and functions of the store in the database (sql/).
//
//   tables.sql       the tables
//   records.sql      times, the byte form of a record, and the writes that the transitions share
//   transitions.sql  one function for each transition of a record
//   limit.sql        counts one request of a subject
//   steps.sql        runs a batch of steps; statements.h lists their arguments and answers
//   notes.sql        writes a note
//   prepare.sql      makes what is missing, and brings an older version to this one
#pragma once

#include <string>

namespace idem::store {

/// Raised with every change of a table or a function. prepare.sql then brings older versions to
/// this one: it replaces all functions, so a changed function keeps its signature or takes a new
/// name. A program of an older version keeps its connections and makes no new one.
///
///   1  the first
///   2  a function for each transition; the tables are as in 1
inline constexpr int kPostgresSchemaVersion = 2;

/// One statement that every new connection runs. It makes what is missing, brings older tables to
/// this version, and fails with a text for the operator if the tables are of a newer one. Programs
/// that start together take turns; a program that finds everything in place locks nothing.
[[nodiscard]] std::string PostgresSchemaSql();

}  // namespace idem::store

// The statements of the store, once the tables and functions are there (schema.h).
#pragma once

#include <string>

namespace idem::store {

/// Runs a batch of steps: 14 arrays in, a row for each step out, in the order of the arrays. It is
/// one call of idemproxy_steps(), and so one transaction. Its functions read with a new snapshot at
/// each of their statements (READ COMMITTED, which the connection sets).
///
///   asks             ids, keys  tokens  replaced  leases  keeps                rests  LIMIT
///   begin            yes        yes     or ''     yes     lease + unknown_ttl  yes    or nulls
///   complete         yes        yes     ''        yes     ttl                  yes    -
///   unknown          yes        yes     ''        yes     unknown_ttl          yes    -
///   release          yes        yes     ''        -       -                    -      -
///   withdraw         yes        yes     ''        -       one lease            -      -
///   look             yes        ''      ''        -       -                    -      -
///   look up          yes        yes     ''        -       pause                -      -
///   release unknown  yes        yes     ''        -       -                    -      -
///   resolve unknown  yes        yes     ''        -       ttl                  yes    -
///   count            ''         ''      ''        -       -                    -      yes
///
///   LIMIT = subject, token, whether it is a bucket, requests, per, burst
///
/// The columns of a row: a word, the time, the verdict of the step's limit (allowed, remaining,
/// reset), and the record that the step found, in its byte form.
///
///   begin            claimed, held RECORD, limited, withdrawn
///   complete, unknown, release, withdraw, look, release unknown, resolve unknown
///                    done, rewritten, held RECORD, gone
///   look up          granted, taken (reset: for how long still), changed RECORD or null
///   count            counted
[[nodiscard]] std::string PostgresStepsSql();

/// One step of a walk over the records. Takes the id behind which it begins, the id before which it
/// ends (or null), the length of an id, and whether completed records are included (1) or not (0).
[[nodiscard]] std::string PostgresListSql();
inline constexpr int kPostgresListRows = 1000;

/// Takes a note's name; returns whether the note was written ('false') and its value.
[[nodiscard]] std::string PostgresReadNoteSql();
/// Takes a name, the value that is replaced (or null) and the new value; returns the same.
[[nodiscard]] std::string PostgresWriteNoteSql();

/// Deletes expired rows, which read as absent already: at most kPostgresSweepRows of each table.
/// Returns how many records it deleted, and how many of them were unknown.
[[nodiscard]] std::string PostgresSweepSql();
inline constexpr int kPostgresSweepRows = 500;

}  // namespace idem::store

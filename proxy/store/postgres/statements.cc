#include "proxy/store/postgres/statements.h"

#include <string_view>

namespace idem::store {
namespace {

// The row `step` tells the time and, where there may be more, the last id that was looked at.
constexpr std::string_view kList = R"sql(
WITH step AS MATERIALIZED (
  SELECT * FROM idemproxy_records r
  WHERE r.id > $1 AND ($2::bytea IS NULL OR r.id < $2)
  ORDER BY r.id LIMIT %ROWS%)
SELECT 'step', idemproxy_ms(idemproxy_now()),
       (SELECT encode(s.id, 'hex') FROM step s WHERE (SELECT count(*) FROM step) = %ROWS%
        ORDER BY s.id DESC LIMIT 1)::bytea
UNION ALL
SELECT 'record', s.key, idemproxy_bytes(s) FROM step s
WHERE octet_length(s.id) = $3::bigint AND s.expires_at > clock_timestamp()
  AND (s.state <> 'completed' OR $4::bigint = 1)
)sql";

// Rows that somebody holds are left for the next time, so that this waits for nobody. A subject's
// requests went before it did.
constexpr std::string_view kSweep = R"sql(
WITH records AS (
  DELETE FROM idemproxy_records WHERE ctid IN (
    SELECT ctid FROM idemproxy_records WHERE expires_at <= now()
    ORDER BY expires_at LIMIT %ROWS% FOR UPDATE SKIP LOCKED)
  RETURNING state),
withdrawals AS (
  DELETE FROM idemproxy_withdrawals WHERE ctid IN (
    SELECT ctid FROM idemproxy_withdrawals WHERE expires_at <= now()
    ORDER BY expires_at LIMIT %ROWS% FOR UPDATE SKIP LOCKED)),
limits AS (
  DELETE FROM idemproxy_limits WHERE ctid IN (
    SELECT ctid FROM idemproxy_limits WHERE expires_at <= now()
    ORDER BY expires_at LIMIT %ROWS% FOR UPDATE SKIP LOCKED)
  RETURNING subject),
accepted AS (
  DELETE FROM idemproxy_accepted a USING limits WHERE a.subject = limits.subject)
SELECT count(*)::text, (count(*) FILTER (WHERE state <> 'completed'))::text FROM records
)sql";

std::string WithRows(std::string_view statement, int rows) {
  constexpr std::string_view kRows = "%ROWS%";
  std::string sql(statement);
  for (std::size_t at = sql.find(kRows); at != std::string::npos; at = sql.find(kRows, at)) {
    sql.replace(at, kRows.size(), std::to_string(rows));
  }
  return sql;
}

}  // namespace

std::string PostgresStepsSql() {
  return "SELECT answer, clock, allowed, remaining, reset, bytes FROM idemproxy_steps("
         "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ORDER BY place";
}

std::string PostgresListSql() { return WithRows(kList, kPostgresListRows); }

std::string PostgresReadNoteSql() {
  return "SELECT 'false', (SELECT n.value FROM idemproxy_notes n WHERE n.name = $1)";
}

std::string PostgresWriteNoteSql() {
  return "SELECT written::text, there FROM idemproxy_write_note($1, $2, $3)";
}

std::string PostgresSweepSql() { return WithRows(kSweep, kPostgresSweepRows); }

}  // namespace idem::store

#include "proxy/store/postgres/statements.h"

#include <string_view>

#include "proxy/store/postgres/sql_texts.h"

namespace idem::store {
namespace {

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

std::string PostgresListSql() { return WithRows(kListSql, kPostgresListRows); }

std::string PostgresReadNoteSql() {
  return "SELECT 'false', (SELECT n.value FROM idemproxy_notes n WHERE n.name = $1)";
}

std::string PostgresWriteNoteSql() {
  return "SELECT written::text, there FROM idemproxy_write_note($1, $2, $3)";
}

std::string PostgresSweepSql() { return WithRows(kSweepSql, kPostgresSweepRows); }

}  // namespace idem::store

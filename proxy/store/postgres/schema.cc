#include "proxy/store/postgres/schema.h"

#include <string_view>

#include "proxy/store/postgres/sql_texts.h"

namespace idem::store {
namespace {

void Replace(std::string& text, std::string_view what, std::string_view by) {
  text.replace(text.find(what), what.size(), by);
}

}  // namespace

std::string PostgresSchemaSql() {
  std::string functions;
  for (const std::string_view part :
       {kRecordsSql, kTransitionsSql, kLimitSql, kStepsSql, kNotesSql}) {
    functions += part;
  }
  std::string sql(kPrepareSql);
  Replace(sql, "%VERSION%", std::to_string(kPostgresSchemaVersion));
  Replace(sql, "%TABLES%", kTablesSql);
  Replace(sql, "%FUNCTIONS%", functions);
  return sql;
}

}  // namespace idem::store

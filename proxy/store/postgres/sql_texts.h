// The files of sql/ as CMake builds them in (idem_embed_texts), without their comment lines.
#pragma once

#include <string_view>

namespace idem::store {

// PostgresSchemaSql() assembles these.
extern const std::string_view kPrepareSql;
extern const std::string_view kTablesSql;
extern const std::string_view kRecordsSql;
extern const std::string_view kTransitionsSql;
extern const std::string_view kLimitSql;
extern const std::string_view kStepsSql;
extern const std::string_view kNotesSql;

// Statements (statements.h). %ROWS% is the most rows that one step takes.
extern const std::string_view kListSql;
extern const std::string_view kSweepSql;

}  // namespace idem::store

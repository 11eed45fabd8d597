// The steps of a record as functions of the database; postgres_steps.cc draws what they take and
// what they answer.
#pragma once

#include <string_view>

namespace idem::store {

/// CREATE FUNCTION idemproxy_steps() and what it calls. They stand on the tables and the small
/// functions of postgres_schema.cc, and on postgres_limit.h.
[[nodiscard]] std::string_view PostgresStepFunctions();

}  // namespace idem::store

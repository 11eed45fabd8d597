// The rate limit as a function of the database: the step that counts one request of one subject.
#pragma once

#include <string_view>

namespace idem::store {

/// CREATE FUNCTION idemproxy_limit(); it stands on the tables of postgres_schema.cc.
[[nodiscard]] std::string_view PostgresLimitFunction();

}  // namespace idem::store

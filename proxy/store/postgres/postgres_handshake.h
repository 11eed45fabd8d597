// What a database tells of itself on every new connection, and whether claims may be trusted to it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/libpq/statement.h"

namespace idem::store {

struct PostgresServerSettings {
  std::string version;
  bool standby = false;            // in recovery: takes no writes
  bool read_only = false;          // by default_transaction_read_only
  std::string fsync;               // "on", "off"
  std::string synchronous_commit;  // of this connection: "on", "off", "local", ...
};

/// The statement that asks for them, and its one row.
[[nodiscard]] libpq::Statement PostgresFactsStatement();
[[nodiscard]] PostgresServerSettings ReadPostgresFacts(const libpq::Rows& rows);

/// One sentence for each thing by which this database may forget a claim that it confirmed; none
/// for one that keeps it.
[[nodiscard]] std::vector<std::string> DurabilityRisks(const PostgresServerSettings& facts);

/// Why this database cannot be used: kRefused, with `where` in front. `require_durable`: what
/// DurabilityRisks() says is a refusal.
[[nodiscard]] std::optional<Error> RefusalReason(const PostgresServerSettings& facts,
                                                 const std::string& where, bool require_durable);

}  // namespace idem::store

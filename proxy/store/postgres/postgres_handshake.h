// The settings of a database, read on every new connection, and whether they suit claims.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/libpq/statement.h"

namespace idem::store {

struct PostgresServerSettings {
  std::string version;
  bool standby = false;            // in recovery; it accepts no writes
  bool read_only = false;          // by default_transaction_read_only
  std::string fsync;               // "on", "off"
  std::string synchronous_commit;  // of this connection: "on", "off", "local", ...
};

/// Reads them; its result is one row.
[[nodiscard]] libpq::Statement PostgresSettingsStatement();
[[nodiscard]] PostgresServerSettings ReadPostgresSettings(const libpq::Rows& rows);

/// Returns a sentence for each setting that may lose a confirmed claim.
[[nodiscard]] std::vector<std::string> DurabilityRisks(const PostgresServerSettings& settings);

/// Returns kRefused, with `where` in front, if this database cannot be used. `require_durable`:
/// DurabilityRisks() refuse it.
[[nodiscard]] std::optional<Error> RefusalReason(const PostgresServerSettings& settings,
                                                 const std::string& where, bool require_durable);

}  // namespace idem::store

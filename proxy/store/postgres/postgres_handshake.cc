#include "proxy/store/postgres/postgres_handshake.h"

#include "proxy/store/remote/durability_refusal.h"

namespace idem::store {

libpq::Statement PostgresSettingsStatement() {
  return {.sql =
              "SELECT current_setting('server_version'), pg_is_in_recovery()::text,"
              " current_setting('transaction_read_only'), current_setting('fsync'),"
              " current_setting('synchronous_commit')",
          .parameters = {}};
}

PostgresServerSettings ReadPostgresSettings(const libpq::Rows& rows) {
  return {.version = std::string(rows.Text(0, 0)),
          .standby = rows.Text(0, 1) == "true",
          .read_only = rows.Text(0, 2) == "on",
          .fsync = std::string(rows.Text(0, 3)),
          .synchronous_commit = std::string(rows.Text(0, 4))};
}

std::vector<std::string> DurabilityRisks(const PostgresServerSettings& settings) {
  std::vector<std::string> reasons;
  if (settings.fsync != "on") {
    reasons.push_back("its fsync is " + settings.fsync +
                      ", so a power loss may lose or damage everything; set on");
  }
  if (settings.synchronous_commit == "off") {
    reasons.emplace_back(
        "its synchronous_commit is off, so a crash loses the last writes; set on, or local");
  }
  return reasons;
}

std::optional<Error> RefusalReason(const PostgresServerSettings& settings, const std::string& where,
                                   bool require_durable) {
  const auto refuse = [&where](const std::string& why) {
    return Error{ErrorCode::kRefused, where + " " + why};
  };
  if (settings.standby) {
    return refuse("is a standby and takes no writes; store.url must name the primary");
  }
  if (settings.read_only) return refuse("is read-only (default_transaction_read_only)");
  return DurabilityRefusal(where, DurabilityRisks(settings), require_durable);
}

}  // namespace idem::store

#include "proxy/store/postgres/postgres_handshake.h"

#include "proxy/store/remote/durability_refusal.h"

namespace idem::store {

libpq::Statement PostgresFactsStatement() {
  return {.sql =
              "SELECT current_setting('server_version'), pg_is_in_recovery()::text,"
              " current_setting('transaction_read_only'), current_setting('fsync'),"
              " current_setting('synchronous_commit')",
          .parameters = {}};
}

PostgresServerSettings ReadPostgresFacts(const libpq::Rows& rows) {
  return {.version = std::string(rows.Text(0, 0)),
          .standby = rows.Text(0, 1) == "true",
          .read_only = rows.Text(0, 2) == "on",
          .fsync = std::string(rows.Text(0, 3)),
          .synchronous_commit = std::string(rows.Text(0, 4))};
}

std::vector<std::string> DurabilityRisks(const PostgresServerSettings& facts) {
  std::vector<std::string> reasons;
  if (facts.fsync != "on") {
    reasons.push_back("its fsync is " + facts.fsync +
                      ", so a power loss may forget or spoil everything; set on");
  }
  if (facts.synchronous_commit == "off") {
    reasons.emplace_back(
        "its synchronous_commit is off, so a crash forgets the last writes; set on, or local");
  }
  return reasons;
}

std::optional<Error> RefusalReason(const PostgresServerSettings& facts, const std::string& where,
                                   bool require_durable) {
  const auto refuse = [&where](const std::string& why) {
    return Error{ErrorCode::kRefused, where + " " + why};
  };
  if (facts.standby) {
    return refuse("is a standby and takes no writes; store.url must name the primary");
  }
  if (facts.read_only) return refuse("is read-only (default_transaction_read_only)");
  return DurabilityRefusal(where, DurabilityRisks(facts), require_durable);
}

}  // namespace idem::store

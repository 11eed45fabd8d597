#include "proxy/store/postgres/postgres_handshake.h"

#include <doctest/doctest.h>

namespace idem::store {
namespace {

PostgresServerSettings Durable() {
  return {.version = "15.3",
          .standby = false,
          .read_only = false,
          .fsync = "on",
          .synchronous_commit = "on"};
}

}  // namespace

TEST_CASE("a database that keeps what it confirmed is warned of nothing") {
  CHECK(DurabilityRisks(Durable()).empty());
  CHECK_FALSE(RefusalReason(Durable(), "PostgreSQL at h", true));
  PostgresServerSettings replicated = Durable();
  replicated.synchronous_commit = "remote_apply";
  CHECK(DurabilityRisks(replicated).empty());
}

TEST_CASE("what may forget is a warning each, and a refusal where durability is required") {
  PostgresServerSettings facts = Durable();
  facts.fsync = "off";
  facts.synchronous_commit = "off";
  const auto reasons = DurabilityRisks(facts);
  REQUIRE(reasons.size() == 2);
  CHECK_FALSE(RefusalReason(facts, "PostgreSQL at h", false));
  const auto refused = RefusalReason(facts, "PostgreSQL at h", true);
  REQUIRE(refused);
  CHECK(refused->code == ErrorCode::kRefused);
  CHECK(refused->detail == "PostgreSQL at h may forget, and store.require_durable is set: " +
                               reasons[0] + "; " + reasons[1]);
}

TEST_CASE("a database that takes no writes is refused") {
  PostgresServerSettings standby = Durable();
  standby.standby = true;
  CHECK(RefusalReason(standby, "PostgreSQL at h", false)->detail ==
        "PostgreSQL at h is a standby and takes no writes; store.url must name the primary");
  PostgresServerSettings read_only = Durable();
  read_only.read_only = true;
  CHECK(RefusalReason(read_only, "PostgreSQL at h", false)->code == ErrorCode::kRefused);
}

}  // namespace idem::store

#include "proxy/store/postgres/postgres_handshake.h"

#include <doctest/doctest.h>

namespace idem::store {
namespace {

PostgresServerFacts Durable() {
  return {.version = "15.3",
          .standby = false,
          .read_only = false,
          .fsync = "on",
          .synchronous_commit = "on"};
}

}  // namespace

TEST_CASE("a database that keeps what it confirmed is warned of nothing") {
  CHECK(WhyItMayForget(Durable()).empty());
  CHECK_FALSE(WhyRefused(Durable(), "PostgreSQL at h", true));
  PostgresServerFacts replicated = Durable();
  replicated.synchronous_commit = "remote_apply";
  CHECK(WhyItMayForget(replicated).empty());
}

TEST_CASE("what may forget is a warning each, and a refusal where durability is required") {
  PostgresServerFacts facts = Durable();
  facts.fsync = "off";
  facts.synchronous_commit = "off";
  const auto reasons = WhyItMayForget(facts);
  REQUIRE(reasons.size() == 2);
  CHECK_FALSE(WhyRefused(facts, "PostgreSQL at h", false));
  const auto refused = WhyRefused(facts, "PostgreSQL at h", true);
  REQUIRE(refused);
  CHECK(refused->code == ErrorCode::kRefused);
  CHECK(refused->detail == "PostgreSQL at h may forget, and store.require_durable is set: " +
                               reasons[0] + "; " + reasons[1]);
}

TEST_CASE("a database that takes no writes is refused") {
  PostgresServerFacts standby = Durable();
  standby.standby = true;
  CHECK(WhyRefused(standby, "PostgreSQL at h", false)->detail ==
        "PostgreSQL at h is a standby and takes no writes; store.url must name the primary");
  PostgresServerFacts read_only = Durable();
  read_only.read_only = true;
  CHECK(WhyRefused(read_only, "PostgreSQL at h", false)->code == ErrorCode::kRefused);
}

}  // namespace idem::store

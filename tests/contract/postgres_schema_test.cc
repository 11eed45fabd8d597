// A database that an older version laid out: what a start makes of it.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/store/postgres/schema.h"
#include "tests/contract/postgres_fixture.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"
#include "tests/support/postgres_server.h"
#include "tests/support/run_loop.h"

namespace idem::contract {

using idempotency::RecordState;
using ports::BeginResult;
using ports::TransitionResult;
using support::TestDatabase;

namespace {

store::StoreOptions OptionsFor(const std::string& url) {
  store::StoreOptions options;
  options.type = store::StoreType::kPostgres;
  options.url = url;
  options.timeout = support::kPatience;
  return options;
}

void LayOutVersion1(TestDatabase& database) {
  std::ifstream file(IDEM_TEST_DATA "/contract/postgres_schema_1.sql");
  const std::string sql{std::istreambuf_iterator<char>(file), {}};
  REQUIRE_FALSE(sql.empty());
  database.client().Run(sql);
}

idempotency::Claim ClaimOf(std::uint8_t byte) {
  idempotency::Token token;
  token.bytes.fill(byte);
  idempotency::Claim claim = NewClaim(token);
  claim.part_digests.clear();  // version 1 kept none
  return claim;
}

std::string VersionOf(TestDatabase& database) {
  return database.client().Ask("SELECT string_agg(version::text, ',') FROM idemproxy_schema");
}

/// The text of every function that a fresh database has.
std::string FunctionsOf(TestDatabase& database) {
  return database.client().Ask(
      "SELECT string_agg(pg_get_functiondef(oid), chr(10) ORDER BY oid::regprocedure::text)"
      " FROM pg_proc WHERE proname LIKE 'idemproxy%'");
}

std::string Refusal(const store::StoreOptions& options) {
  event::EventLoop loop;
  event::Resolver resolver;
  SystemRandom random;
  auto store = store::PostgresStore::Open(loop, resolver, random, options, false);
  REQUIRE(store.has_value());
  std::optional<Status> tried;
  const Ticket ticket =
      (*store)->WhenTried([&](Status status) { tried.emplace(std::move(status)); });
  support::RunUntil(loop, [&] { return tried.has_value(); });
  REQUIRE_FALSE(tried->has_value());
  return tried->error().detail;
}

}  // namespace

TEST_CASE("postgres: records of version 1 are read and settled after the start has changed it") {
  TestDatabase database;
  LayOutVersion1(database);
  PostgresFixture fixture(OptionsFor(database.url()));
  Caller caller(fixture);
  CHECK(VersionOf(database) == std::to_string(store::kPostgresSchemaVersion));

  const auto executing = caller.Begin("executing", NewClaim());
  REQUIRE(executing.kind == BeginResult::Kind::kHeld);
  CHECK(executing.record->state_at(executing.now) == RecordState::kExecuting);
  CHECK(IsSameClaim(executing.record->claim, ClaimOf(0x11)));
  const auto completed = caller.Begin("completed", NewClaim());
  REQUIRE(completed.kind == BeginResult::Kind::kHeld);
  CHECK(IsSameClaim(completed.record->claim, ClaimOf(0x22)));
  REQUIRE(completed.record->response);
  CHECK(IsSameResponse(*completed.record->response, NewResponse()));
  const auto unknown = caller.Read("unknown");
  REQUIRE(unknown.record);
  CHECK(unknown.record->state_at(unknown.now) == RecordState::kUnknown);
  CHECK(database.client().Ask("SELECT value FROM idemproxy_notes") == "as version 1 wrote it");

  CHECK(caller.Complete("executing", ClaimOf(0x11)).kind == TransitionResult::Kind::kDone);
  CHECK(caller.Complete("completed", ClaimOf(0x22)).kind == TransitionResult::Kind::kDone);
  CHECK(caller.ResolveUnknown("unknown", ClaimOf(0x33)).kind == TransitionResult::Kind::kDone);
}

TEST_CASE("postgres: a database of version 1 ends with the functions of a fresh one") {
  TestDatabase fresh;
  TestDatabase old;
  LayOutVersion1(old);
  PostgresFixture fresh_fixture(OptionsFor(fresh.url()));
  PostgresFixture old_fixture(OptionsFor(old.url()));
  const Caller makes(fresh_fixture);
  const Caller changes(old_fixture);
  CHECK(FunctionsOf(old) == FunctionsOf(fresh));
}

TEST_CASE("postgres: a statement that a program of version 1 has prepared works on") {
  TestDatabase database;
  LayOutVersion1(database);
  database.client().Run(
      "PREPARE step AS SELECT answer FROM idemproxy_steps(ARRAY['begin'],"
      " ARRAY['idemp:'::bytea || sha256($1::bytea)], ARRAY[$2::text], ARRAY[$3::text], ARRAY[''],"
      " ARRAY[60000], ARRAY[60000], ARRAY[''::bytea], ARRAY[NULL::bytea], ARRAY[NULL],"
      " ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[NULL::bigint])");
  const auto begin = [&](const std::string& key, const std::string& token) {
    return database.client().Ask("EXECUTE step('" + key + "', 'idemp:" + key + "', '" + token +
                                 "')");
  };
  CHECK(begin("before", "aa") == "claimed");
  PostgresFixture fixture(OptionsFor(database.url()));
  const Caller changes(fixture);
  CHECK(begin("before", "aa") == "claimed");
  CHECK(begin("before", "bb") == "held");
  CHECK(begin("after", "aa") == "claimed");
}

TEST_CASE("postgres: many proxies that start at once bring version 1 along once") {
  TestDatabase database;
  LayOutVersion1(database);
  PostgresFixture fixture(OptionsFor(database.url()));
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      Caller caller(fixture);
      CHECK(caller.Begin("completed", NewClaim()).kind == BeginResult::Kind::kHeld);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(VersionOf(database) == std::to_string(store::kPostgresSchemaVersion));
}

TEST_CASE("postgres: functions go where version 1 has its own, in another schema too") {
  TestDatabase database;
  LayOutVersion1(database);
  database.client().Run("CREATE SCHEMA nearer");
  PostgresFixture fixture(OptionsFor(database.url() + "?options=-csearch_path%3Dnearer%2Cpublic"));
  Caller caller(fixture);
  CHECK(caller.Begin("completed", NewClaim()).kind == BeginResult::Kind::kHeld);
  CHECK(database.client().Ask("SELECT count(*) FROM pg_proc WHERE proname LIKE 'idemproxy%'"
                              " AND pronamespace = 'nearer'::regnamespace") == "0");
}

TEST_CASE("postgres: a role that may not change version 1 is refused with the reason") {
  TestDatabase database;
  LayOutVersion1(database);
  database.client().Run(
      "DO $$ BEGIN CREATE ROLE changes_none; EXCEPTION WHEN duplicate_object THEN END $$;"
      "GRANT USAGE, CREATE ON SCHEMA public TO changes_none;"
      "GRANT ALL ON ALL TABLES IN SCHEMA public TO changes_none");
  const std::string reason = Refusal(OptionsFor(database.url() + "?options=-crole%3Dchanges_none"));
  CAPTURE(reason);
  CHECK(reason.find("the role changes_none may not bring them to version 2: start this program "
                    "once as the role postgres") != std::string::npos);
  CHECK(VersionOf(database) == "1");
}

}  // namespace idem::contract

// Calls to PostgreSQL when the connection or the database fails, and the durability of acknowledged
// writes.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "tests/contract/postgres_fixture.h"
#include "tests/contract/samples.h"
#include "tests/contract/store_caller.h"
#include "tests/support/postgres_server.h"
#include "tests/support/relay.h"
#include "tests/support/run_loop.h"

namespace idem::contract {

using idempotency::Claim;
using ports::BeginResult;
using ports::TransitionResult;
using std::chrono::milliseconds;
using support::PostgresClient;
using support::PostgresServer;
using support::TestDatabase;

namespace {

store::StoreOptions OptionsFor(const std::string& url,
                               milliseconds timeout = std::chrono::seconds(20)) {
  store::StoreOptions options;
  options.type = store::StoreType::kPostgres;
  options.url = url;
  options.timeout = timeout;
  return options;
}

std::string Through(const support::Relay& relay) {
  return "postgres://postgres@127.0.0.1:" + std::to_string(relay.port()) + "/postgres";
}

std::uint16_t PortOf(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

Result<BeginResult> TryBegin(Caller& caller, const std::string& key, const Claim& claim) {
  return caller.Try<BeginResult>([&](auto on_answer) {
    return caller.records().Begin({key, claim, {}, {}}, std::move(on_answer));
  });
}

Result<TransitionResult> TryComplete(Caller& caller, const std::string& key, const Claim& claim) {
  return caller.Try<TransitionResult>([&](auto on_answer) {
    return caller.records().Apply(Completion(key, claim), std::move(on_answer));
  });
}

void AwaitReady(Caller& caller) {
  support::RunUntil(caller.loop(), [&] { return !caller.records().unavailable_reason(); });
}

void AwaitAway(Caller& caller) {
  support::RunUntil(caller.loop(),
                    [&] { return caller.records().unavailable_reason().has_value(); });
}

/// Returns the reason why a store on such a database does not start.
Error Refusal(const store::StoreOptions& options) {
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
  CHECK((*store)->unavailable_reason() == tried->error().detail);
  return tried->error();
}

bool Holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

/// Waits until a statement of the store waits for a row that another transaction has locked.
void AwaitLockWait(PostgresClient& client) {
  while (client.Ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'idemproxy'"
                    " AND wait_event_type = 'Lock' AND datname = current_database()") == "0") {
    std::this_thread::yield();
  }
}

/// Returns the SQL of a step of another process, inside a transaction that the test ends.
std::string StepSql(const std::string& ask, const std::string& key, const Claim& claim) {
  return "SELECT (idemproxy_step('" + ask + "', 'idemp:'::bytea || sha256('" + key +
         "'), 'idemp:" + key + "', '" + claim.token.ToHex() +
         "', '', '1 minute', '1 minute', ''))::text";
}

/// Claims 20 keys and completes 20 more. Returns how many of these acknowledged writes a crash of
/// the database forgets.
int LostInACrash(const PostgresServer::Settings& settings) {
  PostgresServer server(settings);
  PostgresFixture fixture(OptionsFor(server.url()));
  Caller caller(fixture);
  std::vector<std::string> keys;
  for (int i = 0; i < 40; ++i) {
    const std::string key = "k-" + std::to_string(i);
    const Claim claim = NewClaim();
    REQUIRE(caller.Begin(key, claim).kind == BeginResult::Kind::kClaimed);
    if (i % 2 == 0) REQUIRE(caller.Complete(key, claim).kind == TransitionResult::Kind::kDone);
    keys.push_back(key);
  }
  server.Crash();
  AwaitAway(caller);
  server.Start();
  AwaitReady(caller);
  int lost = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto seen = caller.Read(keys[i]);
    const bool kept = seen.record && (seen.record->response != nullptr) == (i % 2 == 0);
    lost += kept ? 0 : 1;
  }
  return lost;
}

}  // namespace

TEST_CASE("postgres: a crash of the database forgets nothing that was acknowledged") {
  CHECK(LostInACrash({}) == 0);
}

// Proves that the test above can fail: a commit is acknowledged before it is written.
TEST_CASE("postgres: a database that acknowledges what it did not write is found to lose it") {
  CHECK(LostInACrash({{"synchronous_commit", "off"}, {"wal_writer_delay", "10s"}}) > 0);
}

TEST_CASE("postgres: while the database is away questions fail at once, and it is found again") {
  PostgresServer server;
  PostgresFixture fixture(OptionsFor(server.url(), std::chrono::seconds(2)));
  Caller caller(fixture);
  const Claim claim = NewClaim();
  REQUIRE(caller.Begin("k", claim).kind == BeginResult::Kind::kClaimed);
  server.Stop();
  AwaitAway(caller);
  const auto away = TryBegin(caller, "other", NewClaim());
  REQUIRE_FALSE(away.has_value());
  CHECK(away.error().code == ErrorCode::kUnavailable);
  CHECK(Holds(*caller.records().unavailable_reason(), "PostgreSQL at 127.0.0.1:"));
  server.Start();
  AwaitReady(caller);
  CHECK(caller.Begin("k", claim).kind == BeginResult::Kind::kClaimed);
  CHECK(caller.Complete("k", claim).kind == TransitionResult::Kind::kDone);
}

TEST_CASE(
    "postgres: a connection that is cut under a commit is an error, and asking again is safe") {
  TestDatabase database;
  support::Relay relay(PortOf(database.url()));
  const std::string name = database.url().substr(database.url().rfind('/'));
  const std::string url = Through(relay);
  PostgresFixture fixture(OptionsFor(url.substr(0, url.rfind('/')) + name));
  Caller caller(fixture);
  const Claim claim = NewClaim();
  relay.CutAfterReply(0);  // the database acts and its answer is lost
  const auto cut = TryBegin(caller, "k", claim);
  REQUIRE_FALSE(cut.has_value());
  CHECK(cut.error().code == ErrorCode::kUnavailable);
  AwaitReady(caller);
  CHECK(caller.Begin("k", claim).kind == BeginResult::Kind::kClaimed);
  CHECK(caller.Begin("k", NewClaim()).kind == BeginResult::Kind::kHeld);

  relay.CutAfterReply(0);
  CHECK_FALSE(TryComplete(caller, "k", claim).has_value());
  AwaitReady(caller);
  CHECK(caller.Complete("k", claim).kind == TransitionResult::Kind::kDone);
  CHECK(caller.Begin("k", NewClaim()).record->response != nullptr);
  CHECK(database.client().Ask("SELECT count(*) FROM idemproxy_records") == "1");
}

TEST_CASE("postgres: a database that swallows everything is a timeout, then a new connection") {
  TestDatabase database;
  support::Relay relay(PortOf(database.url()));
  const std::string name = database.url().substr(database.url().rfind('/'));
  const std::string url = Through(relay);
  PostgresFixture fixture(OptionsFor(url.substr(0, url.rfind('/')) + name, milliseconds(400)));
  Caller caller(fixture);
  relay.Blackhole();
  const auto lost = TryBegin(caller, "k", NewClaim());
  REQUIRE_FALSE(lost.has_value());
  CHECK(lost.error().code == ErrorCode::kTimeout);
  CHECK(Holds(*caller.records().unavailable_reason(), "does not answer"));
  support::RunUntil(caller.loop(), [&] { return relay.connections_made() > 1; });
  relay.Resume();
  relay.Cut();
  AwaitReady(caller);
  CHECK(caller.Begin("k", NewClaim()).kind == BeginResult::Kind::kClaimed);
}

TEST_CASE("postgres: a begin under way on another connection is waited for by its withdrawal") {
  TestDatabase database;
  PostgresFixture fixture(OptionsFor(database.url()));
  Caller caller(fixture);
  PostgresClient late(database.url());
  for (const bool begin_is_first : {true, false}) {
    CAPTURE(begin_is_first);
    const Claim claim = NewClaim();
    const std::string key = begin_is_first ? "begun" : "withdrawn";
    late.Run("BEGIN");
    late.Ask(StepSql(begin_is_first ? "begin" : "withdraw", key, claim));
    std::thread other([&] {
      AwaitLockWait(database.client());
      late.Run("COMMIT");
    });
    if (begin_is_first) {
      CHECK(caller.Withdraw(key, claim.token).kind == TransitionResult::Kind::kDone);
    } else {
      CHECK(caller.Begin(key, claim).kind == BeginResult::Kind::kWithdrawn);
    }
    other.join();
    CHECK(caller.Begin(key, claim).kind == BeginResult::Kind::kWithdrawn);
    CHECK_FALSE(caller.Read(key).record.has_value());
  }
}

// A commit waits for a synchronous standby only for its own writes.
TEST_CASE("postgres: a step that is asked twice is written twice") {
  TestDatabase database;
  PostgresFixture fixture(OptionsFor(database.url()));
  Caller caller(fixture);
  const auto writer = [&] { return database.client().Ask("SELECT xmin FROM idemproxy_records"); };
  std::string before;
  const auto is_new = [&] { return std::exchange(before, writer()) != before; };

  const Claim claim = NewClaim();
  for (int i = 0; i < 2; ++i) {
    CHECK(caller.Begin("k", claim).kind == BeginResult::Kind::kClaimed);
    CHECK(is_new());
  }
  for (int i = 0; i < 2; ++i) {
    CHECK(caller.MarkUnknown("k", claim).kind == TransitionResult::Kind::kDone);
    CHECK(is_new());
  }
  for (int i = 0; i < 2; ++i) {
    CHECK(caller.ResolveUnknown("k", claim).kind == TransitionResult::Kind::kDone);
    CHECK(is_new());
  }
  CHECK(caller.Complete("k", claim).kind == TransitionResult::Kind::kDone);
  CHECK(is_new());
  CHECK(caller.Read("k").record);
  CHECK_FALSE(is_new());
}

TEST_CASE("postgres: a takeover that was withdrawn leaves what it would have taken over") {
  TestDatabase database;
  PostgresFixture fixture(OptionsFor(database.url()));
  Caller caller(fixture);
  const Claim unknown = NewClaim();
  caller.Begin("k", unknown);
  caller.MarkUnknown("k", unknown);
  const Claim late = NewClaim();
  caller.Withdraw("k", late.token);
  CHECK(caller.Begin("k", late, unknown.token).kind == BeginResult::Kind::kWithdrawn);
  CHECK(caller.Read("k").record->claim.token == unknown.token);
}

TEST_CASE("postgres: a question that the database refuses fails alone") {
  TestDatabase database;
  PostgresFixture fixture(OptionsFor(database.url()));
  Caller caller(fixture);
  const std::vector<std::string> keys = {"a", "not UTF-8 \xff", "b"};
  std::vector<Ticket> tickets;
  std::vector<std::string> seen(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    tickets.push_back(caller.records().Begin({keys[i], NewClaim(), {}, {}},
                                             [&seen, i](const Result<BeginResult>& answer) {
                                               seen[i] = answer.has_value() ? "claimed" : "refused";
                                             }));
  }
  support::RunUntil(caller.loop(), [&] { return std::count(seen.begin(), seen.end(), "") == 0; });
  CHECK(seen == std::vector<std::string>{"claimed", "refused", "claimed"});
}

TEST_CASE("postgres: many proxies that start at once make the tables once") {
  TestDatabase database;
  PostgresFixture fixture(OptionsFor(database.url()));
  std::atomic<int> claimed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      Caller caller(fixture);
      if (caller.Begin("k", NewClaim()).kind == BeginResult::Kind::kClaimed) ++claimed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(claimed == 1);
  CHECK(database.client().Ask("SELECT count(*) FROM idemproxy_schema") == "1");
}

TEST_CASE("postgres: tables that were dropped are made anew, without a restart") {
  TestDatabase database;
  PostgresFixture fixture(OptionsFor(database.url()));
  Caller caller(fixture);
  REQUIRE(caller.Begin("k", NewClaim()).kind == BeginResult::Kind::kClaimed);
  database.client().Run("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  CHECK_FALSE(TryBegin(caller, "k", NewClaim()).has_value());
  AwaitAway(caller);
  AwaitReady(caller);
  CHECK(caller.Begin("k", NewClaim()).kind == BeginResult::Kind::kClaimed);
}

TEST_CASE("postgres: what cannot be trusted with a claim is refused with the reason") {
  TestDatabase database;
  const std::string url = database.url();
  store::StoreOptions strict = OptionsFor(url);
  strict.require_durable = true;  // the server of the tests runs without fsync
  CHECK(Holds(Refusal(strict).detail, "its fsync is off"));
  const Error no_writes =
      Refusal(OptionsFor(url + "?options=-cdefault_transaction_read_only%3Don"));
  CHECK(no_writes.code == ErrorCode::kRefused);
  CHECK(Holds(no_writes.detail, "is read-only"));
  const Error nowhere = Refusal(OptionsFor(url + "_of_nobody"));
  CHECK(nowhere.code == ErrorCode::kRefused);
  CHECK(Holds(nowhere.detail, "does not exist"));

  { Caller makes_the_tables(*std::make_unique<PostgresFixture>(OptionsFor(url))); }
  database.client().Run("UPDATE idemproxy_schema SET version = version + 1");
  const Error newer = Refusal(OptionsFor(url));
  CHECK(newer.code == ErrorCode::kRefused);
  CHECK(Holds(newer.detail, "of version 3, and this program knows version 2"));
  database.client().Run("DELETE FROM idemproxy_schema");
  CHECK(Holds(Refusal(OptionsFor(url)).detail, "has 0 rows"));

  database.client().Run(
      "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE ROLE makes_none; "
      "GRANT USAGE ON SCHEMA public TO makes_none");
  const Error no_tables = Refusal(OptionsFor(url + "?options=-crole%3Dmakes_none"));
  CHECK(no_tables.code == ErrorCode::kRefused);
  CHECK(Holds(no_tables.detail, "the role makes_none may not make them"));
}

// The server reports such a commit as done, with a warning. It may be lost in a fail-over.
TEST_CASE("postgres: a commit that no longer waits for its standby is not acknowledged") {
  PostgresServer server;
  PostgresFixture fixture(OptionsFor(server.url()));
  Caller caller(fixture);
  REQUIRE(caller.Begin("before", NewClaim()).kind == BeginResult::Kind::kClaimed);
  PostgresClient operates(server.url());
  operates.Run("ALTER SYSTEM SET synchronous_standby_names = 'not_there'");
  operates.Run("SELECT pg_reload_conf()");

  std::thread cancels([&] {
    while (operates.Ask("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
                        " WHERE wait_event = 'SyncRep' AND application_name = 'idemproxy'") ==
           "0") {
      std::this_thread::yield();
    }
  });
  // The store's connection learns of the standby a little later.
  Claim claim = NewClaim();
  auto begun = TryBegin(caller, "k-0", claim);
  for (int i = 1; begun; ++i)
    begun = TryBegin(caller, "k-" + std::to_string(i), claim = NewClaim());
  cancels.join();
  CHECK(Holds(begun.error().detail, "synchronous replication"));
  CHECK(begun.error().delivery == Delivery::kMaybeSent);

  operates.Run("ALTER SYSTEM RESET synchronous_standby_names");
  operates.Run("SELECT pg_reload_conf()");
  AwaitReady(caller);
  CHECK(caller.Begin("after", NewClaim()).kind == BeginResult::Kind::kClaimed);
}

// A primary becomes read-only when it is demoted to a standby, or before it is moved to another
// machine.
TEST_CASE("postgres: a database that takes no writes any more is left until it does") {
  PostgresServer server;
  PostgresFixture fixture(OptionsFor(server.url(), std::chrono::seconds(2)));
  Caller caller(fixture);
  const Claim claim = NewClaim();
  REQUIRE(caller.Begin("k", claim).kind == BeginResult::Kind::kClaimed);

  PostgresClient operates(server.url() + "?options=-cdefault_transaction_read_only%3Doff");
  operates.Run("ALTER SYSTEM SET default_transaction_read_only = on");
  operates.Run("SELECT pg_reload_conf()");
  // The store's connection notices it a little later. Each attempt uses another key, because a held
  // key is only read.
  for (int i = 0; TryBegin(caller, "other-" + std::to_string(i), NewClaim()); ++i) {
    std::this_thread::yield();
  }
  AwaitAway(caller);
  CHECK_FALSE(TryComplete(caller, "k", claim).has_value());
  support::RunUntil(caller.loop(), [&] {
    return Holds(caller.records().unavailable_reason().value_or(""), "is read-only");
  });

  operates.Run("ALTER SYSTEM RESET default_transaction_read_only");
  operates.Run("SELECT pg_reload_conf()");
  AwaitReady(caller);
  CHECK(caller.Complete("k", claim).kind == TransitionResult::Kind::kDone);
}

TEST_CASE("postgres: what has expired is deleted in the background") {
  TestDatabase database;
  PostgresFixture quiet(OptionsFor(database.url()));
  {
    Caller caller(quiet);
    Claim claim = NewClaim();
    claim.lease = claim.unknown_ttl = kShort;
    caller.Begin("expires", claim);
    caller.Withdraw("k", NextToken(), kShort);
    caller.Count({"s", NextToken(), {2, kShort, {}, 0}});
    caller.Begin("lives", NewClaim());
  }
  quiet.Pass(milliseconds(1200));  // a subject is kept one second longer
  PostgresFixture sweeping(OptionsFor(database.url()), true);
  Caller caller(sweeping);
  support::RunUntil(caller.loop(), [&] {
    return database.client().Ask("SELECT count(*) FROM idemproxy_records") == "1";
  });
  CHECK(database.client().Ask("SELECT key FROM idemproxy_records") == "idemp:lives");
  for (const std::string table : {"withdrawals", "limits", "accepted"}) {
    CAPTURE(table);
    CHECK(database.client().Ask("SELECT count(*) FROM idemproxy_" + table) == "0");
  }
}

TEST_CASE("postgres: a list goes on behind a record that cannot be read") {
  TestDatabase database;
  PostgresFixture fixture(OptionsFor(database.url()));
  Caller caller(fixture);
  for (const char* key : {"a", "broken", "c"}) caller.Begin(key, NewClaim());
  database.client().Run("UPDATE idemproxy_records SET rest = '?' WHERE key = 'idemp:broken'");
  std::set<std::string> keys;
  for (const auto& found : caller.List({})) keys.insert(found.record_key);
  CHECK(keys == std::set<std::string>{"a", "c"});
}

}  // namespace idem::contract

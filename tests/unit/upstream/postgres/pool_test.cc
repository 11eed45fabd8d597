#include "upstream/postgres/pool.h"

#include <doctest/doctest.h>

#include "tests/support/postgres_server.h"
#include "tests/support/run_loop.h"

namespace idem::libpq {

namespace {

using support::PostgresServer;
using support::TestDatabase;

struct Fixture {
  explicit Fixture(const std::string& url, PoolOptions options = {})
      : pool(loop, resolver, *Url::Parse(url), std::move(options)) {}

  /// Runs one statement and waits for its answer.
  Result<Rows> Run(Statement statement, Duration wait = std::chrono::seconds(20)) {
    std::optional<Result<Rows>> answer;
    const Ticket ticket = pool.Run([&] { return statement; }, wait,
                                   [&](Result<Rows> rows) { answer.emplace(std::move(rows)); });
    support::RunUntil(loop, [&] { return answer.has_value(); });
    return *std::move(answer);
  }
  Result<Rows> Run(std::string sql) { return Run(Statement{std::move(sql), {}}); }

  event::EventLoop loop;
  event::Resolver resolver;
  Pool pool;
};

}  // namespace

TEST_CASE("a statement gives its rows") {
  const TestDatabase database;
  Fixture fixture(database.url());
  Array texts(Array::Of::kText);
  texts.Add("{a,\"b\"}");
  texts.AddNull();
  Array numbers(Array::Of::kInt64);
  numbers.AddInt64(-5);
  numbers.AddInt64(1LL << 40);
  Array bytes(Array::Of::kBytes);
  bytes.Add(std::string_view("\0\xff", 2));
  bytes.Add("");
  Statement statement{
      "SELECT t, n, b, $4::numeric, $5::text FROM unnest($1, $2, $3) AS rows (t, n, b)", {}};
  for (Array* array : {&texts, &numbers, &bytes}) {
    statement.parameters.push_back(std::move(*array).Take());
  }
  statement.parameters.push_back(Parameter::Text("0.10"));
  statement.parameters.push_back(Parameter::Null());
  const auto rows = fixture.Run(statement);
  REQUIRE(rows);
  REQUIRE(rows->size() == 2);
  CHECK(rows->Text(0, 0) == "{a,\"b\"}");
  CHECK_FALSE(rows->Value(1, 0).has_value());
  CHECK(rows->Text(0, 1) == "-5");
  CHECK(rows->Text(1, 1) == "1099511627776");
  CHECK(rows->Text(0, 2) == "\\x00ff");
  CHECK(rows->Text(0, 3) == "0.10");
  CHECK_FALSE(rows->Value(0, 4).has_value());
}

TEST_CASE("the errors of a statement say whether trying again may help") {
  const TestDatabase database;
  Fixture fixture(database.url());
  CHECK(fixture.Run("SELECT 1/0").error().code == ErrorCode::kInvalid);
  CHECK(fixture.Run("SELECT nothing").error().code == ErrorCode::kRefused);
  const auto locked = fixture.Run(
      "DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$");
  CHECK(locked.error().code == ErrorCode::kUnavailable);
  CHECK(locked.error().delivery == Delivery::kNotSent);
  CHECK(fixture.Run("SELECT 1"));
}

TEST_CASE("each connection is set up before it serves") {
  const TestDatabase database;
  PoolOptions options;
  options.connection.setup = "SET a.b = 'here'; SELECT 1; SET a.c = 'too'";
  Fixture fixture(database.url(), options);
  CHECK(fixture.Run("SELECT current_setting('a.b') || current_setting('a.c')")->Text(0, 0) ==
        "heretoo");
}

TEST_CASE("a large statement and a large answer pass in both directions") {
  const TestDatabase database;
  Fixture fixture(database.url());
  const std::string text(5'000'000, 'x');
  const auto rows = fixture.Run(Statement{"SELECT $1::text || $1::text", {Parameter::Text(text)}});
  REQUIRE(rows);
  CHECK(rows->Text(0, 0).size() == 2 * text.size());
}

TEST_CASE("statements run beside each other, one on each connection") {
  const TestDatabase database;
  PoolOptions options;
  options.connections = 3;
  Fixture fixture(database.url(), options);
  // None of the three can pass the barrier before all have reached it.
  int answers = 0;
  std::vector<Ticket> tickets;
  const std::string meet = R"(DO $$ BEGIN
    PERFORM pg_advisory_lock_shared(7);
    WHILE (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) < 3
    LOOP PERFORM pg_sleep(0.002); END LOOP; END $$)";
  for (int i = 0; i < 3; ++i) {
    tickets.push_back(fixture.pool.Run(
        [&] {
          return Statement{meet, {}};
        },
        std::chrono::seconds(20),
        [&](const Result<Rows>& rows) {
          CHECK(rows);
          ++answers;
        }));
  }
  support::RunUntil(fixture.loop, [&] { return answers == 3; });
}

TEST_CASE("a statement that is withdrawn before a connection is free never runs") {
  const TestDatabase database;
  Fixture fixture(database.url());
  bool made = false;
  {
    const Ticket ticket = fixture.pool.Run(
        [&] {
          return made = true, Statement{"SELECT 1", {}};
        },
        std::chrono::seconds(20), [](const Result<Rows>&) {});
  }
  CHECK(fixture.Run("SELECT 1"));
  CHECK_FALSE(made);
}

TEST_CASE("without a database a statement waits for its time and is never made") {
  const std::string url =
      "postgres://nobody@127.0.0.1:" + std::to_string(support::FreePort()) + "/none";
  Fixture fixture(url);
  bool made = false;
  const auto run = [&](Duration wait) {
    std::optional<Result<Rows>> answer;
    const Ticket ticket = fixture.pool.Run(
        [&] {
          return made = true, Statement{"SELECT 1", {}};
        },
        wait, [&](Result<Rows> rows) { answer.emplace(std::move(rows)); });
    support::RunUntil(fixture.loop, [&] { return answer.has_value(); });
    return std::move(*answer).error();
  };
  const Error error = run(std::chrono::milliseconds(100));
  CHECK(error.code == ErrorCode::kUnavailable);
  CHECK(error.delivery == Delivery::kNotSent);
  CHECK_FALSE(made);
  CHECK_FALSE(fixture.pool.reachable());
}

TEST_CASE("a name is resolved before libpq sees it") {
  const TestDatabase database;
  std::string url = database.url();
  url.replace(url.find("127.0.0.1"), 9, "localhost");
  Fixture fixture(url);
  CHECK(fixture.Run("SELECT 1"));
}

TEST_CASE("a connection that is cut under a statement may have reached the server") {
  const TestDatabase database;
  Fixture fixture(database.url());
  const auto rows = fixture.Run("SELECT pg_terminate_backend(pg_backend_pid())");
  REQUIRE_FALSE(rows);
  CHECK(rows.error().delivery == Delivery::kMaybeSent);
  CHECK(fixture.Run("SELECT 1"));
}

TEST_CASE("a statement that takes too long is given up, and the pool goes on") {
  const TestDatabase database;
  PoolOptions options;
  options.connections = 1;
  options.connection.statement_timeout = std::chrono::milliseconds(300);
  Fixture fixture(database.url(), options);
  const auto rows = fixture.Run("SELECT pg_sleep(60)");
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == ErrorCode::kTimeout);
  CHECK(rows.error().delivery == Delivery::kMaybeSent);
  CHECK(fixture.Run("SELECT 1"));
}

TEST_CASE("after a restart of the server the pool comes back by itself") {
  PostgresServer server;
  Fixture fixture(server.url());
  CHECK(fixture.Run("SELECT 1"));
  server.Stop();
  CHECK(fixture.Run(Statement{"SELECT 1", {}}, std::chrono::milliseconds(200)).error().code ==
        ErrorCode::kUnavailable);
  support::RunUntil(fixture.loop, [&] { return !fixture.pool.reachable(); });
  server.Start();
  support::RunUntil(fixture.loop, [&] { return fixture.pool.reachable(); });
  CHECK(fixture.Run("SELECT 1"));
}

}  // namespace idem::libpq

#include "upstream/postgres_order_store.h"

#include <doctest/doctest.h>

#include "tests/support/postgres_server.h"
#include "tests/support/run_loop.h"

namespace idem::upstream {

namespace {

struct Fixture {
  explicit Fixture(const std::string& url, bool legacy = false)
      : store(loop, resolver, *libpq::Url::Parse(url), legacy) {}

  /// Sends all orders in one turn and waits for the answers.
  std::vector<Result<Order>> PutAll(const std::vector<NewOrder>& orders) {
    std::vector<std::optional<Result<Order>>> answers(orders.size());
    std::vector<Ticket> tickets;
    std::size_t count = 0;
    for (std::size_t i = 0; i < orders.size(); ++i) {
      tickets.push_back(store.Put(orders[i], [&, i](Result<Order> order) {
        answers[i].emplace(std::move(order));
        ++count;
      }));
    }
    support::RunUntil(loop, [&] { return count == orders.size(); });
    std::vector<Result<Order>> all;
    for (auto& answer : answers) all.push_back(*std::move(answer));
    return all;
  }
  Result<Order> Put(const NewOrder& order) { return PutAll({order}).front(); }
  NewOrder New(std::optional<std::string> key, std::string amount = "5") {
    return {NewUuid(random), {"u", "tea", std::move(amount)}, std::move(key)};
  }

  event::EventLoop loop;
  event::Resolver resolver;
  SystemRandom random;
  PostgresOrderStore store;
};

}  // namespace

TEST_CASE("an order is stored once for its key, and comes back as it was stored") {
  support::TestDatabase database;
  Fixture fixture(database.url());
  const NewOrder order = fixture.New("k-1", "0.10");
  const auto stored = fixture.Put(order);
  REQUIRE(stored);
  CHECK(stored->id == order.id);
  CHECK(stored->request == order.request);
  CHECK(stored->key == "k-1");
  CHECK(stored->created_at.size() == std::string_view("2026-01-02T03:04:05.678901Z").size());
  const auto again = fixture.Put(fixture.New("k-1", "7"));
  REQUIRE(again);
  CHECK(again->id == order.id);
  CHECK(again->request == order.request);
  CHECK(again->created_at == stored->created_at);
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "1");
  CHECK(database.client().Ask("SELECT pg_typeof(amount) || ' ' || amount FROM orders") ==
        "numeric 0.10");
}

TEST_CASE("one key many times in one group is one row") {
  support::TestDatabase database;
  Fixture fixture(database.url());
  std::vector<NewOrder> orders;
  for (int i = 0; i < 40; ++i) orders.push_back(fixture.New("k-" + std::to_string(i % 2)));
  const auto stored = fixture.PutAll(orders);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    REQUIRE(stored[i]);
    CHECK(stored[i]->id == stored[i % 2]->id);
    CHECK(stored[i]->key == orders[i].key);
  }
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "2");
}

TEST_CASE("a row that another transaction holds is waited for") {
  support::TestDatabase database;
  Fixture fixture(database.url());
  REQUIRE(fixture.Put(fixture.New("k-0")));
  const std::string id = "0b6f0ea9-8a8f-4c5e-9f4e-0123456789ab";
  database.client().Run("BEGIN; INSERT INTO orders VALUES ('" + id +
                        "', 'u', 'tea', 5, 'k-1', now())");
  std::optional<Result<Order>> answer;
  const Ticket ticket = fixture.store.Put(
      fixture.New("k-1"), [&](Result<Order> order) { answer.emplace(std::move(order)); });
  support::PostgresClient observer(database.url());
  support::RunUntil(fixture.loop, [&] {
    return observer.Ask(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
               "datname = current_database()") == "1";
  });
  CHECK_FALSE(answer.has_value());
  database.client().Run("COMMIT");
  support::RunUntil(fixture.loop, [&] { return answer.has_value(); });
  REQUIRE(*answer);
  CHECK((*answer)->id == id);
}

TEST_CASE("two stores with the same keys in another order do not lock each other out") {
  support::TestDatabase database;
  Fixture one(database.url());
  Fixture other(database.url());
  REQUIRE(one.Put(one.New("k-0")));
  int failed = 0;
  std::size_t answered = 0;
  std::vector<Ticket> tickets;
  constexpr int kKeys = 200;
  const auto count = [&](const Result<Order>& order) {
    ++answered;
    failed += order ? 0 : 1;
  };
  for (int i = 0; i < kKeys; ++i) {
    tickets.push_back(one.store.Put(one.New("k-" + std::to_string(i)), count));
    tickets.push_back(other.store.Put(other.New("k-" + std::to_string(kKeys - i)), count));
  }
  Ticket turn;
  Function<void()> turn_other = [&] {
    support::RunBriefly(other.loop);
    turn = one.loop.After(std::chrono::milliseconds(1), [&] { turn_other(); });
  };
  turn_other();
  support::RunUntil(one.loop, [&] { return answered == 2 * kKeys; });
  CHECK(failed == 0);
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == std::to_string(kKeys + 1));
}

TEST_CASE("an order is found by id and by key") {
  support::TestDatabase database;
  Fixture fixture(database.url());
  const NewOrder order = fixture.New("k-1");
  REQUIRE(fixture.Put(order));
  std::vector<bool> found;
  const auto keep = [&](const Result<std::optional<Order>>& answer) {
    REQUIRE(answer);
    found.push_back(answer->has_value() && (*answer)->id == order.id);
  };
  std::vector<Ticket> tickets;
  tickets.push_back(fixture.store.FindById(order.id, keep));
  support::RunUntil(fixture.loop, [&] { return found.size() == 1; });
  tickets.push_back(fixture.store.FindByKey("k-1", keep));
  support::RunUntil(fixture.loop, [&] { return found.size() == 2; });
  tickets.push_back(fixture.store.FindByKey("k-2", keep));
  support::RunUntil(fixture.loop, [&] { return found.size() == 3; });
  CHECK(found == std::vector<bool>{true, true, false});
}

TEST_CASE("legacy writes every row, and finds the first") {
  support::TestDatabase database;
  Fixture fixture(database.url(), true);
  const NewOrder first = fixture.New("k-1");
  REQUIRE(fixture.Put(first));
  const auto rest = fixture.PutAll({fixture.New("k-1"), fixture.New("k-1"), fixture.New({})});
  for (const auto& order : rest) REQUIRE(order);
  CHECK(rest[0]->id != rest[1]->id);
  CHECK_FALSE(rest[2]->key.has_value());
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "4");
  std::string found;
  const Ticket ticket = fixture.store.FindByKey(
      "k-1", [&](Result<std::optional<Order>> order) { found = (**order).id; });
  support::RunUntil(fixture.loop, [&] { return !found.empty(); });
  CHECK(found == first.id);
}

TEST_CASE("a start in the other mode changes what the table allows") {
  support::TestDatabase database;
  Fixture unique(database.url());
  REQUIRE(unique.Put(unique.New("k-1")));
  {
    Fixture legacy(database.url(), true);
    REQUIRE(legacy.Put(legacy.New("k-2")));
    REQUIRE(legacy.Put(legacy.New("k-2")));
  }
  // The old store must not write duplicates when its index is gone.
  CHECK_FALSE(unique.Put(unique.New("k-1")));
  Fixture late(database.url());
  CHECK_FALSE(late.Put(late.New("k-3")));
  database.client().Run("DELETE FROM orders WHERE ctid = (SELECT max(ctid) FROM orders)");
  support::RunUntil(late.loop, [&] { return late.store.reachable(); });
  CHECK(late.Put(late.New("k-3")));
}

TEST_CASE("programs that start together set the database up once") {
  support::TestDatabase database;
  std::vector<std::unique_ptr<Fixture>> fixtures;
  for (int i = 0; i < 4; ++i) fixtures.push_back(std::make_unique<Fixture>(database.url()));
  for (auto& fixture : fixtures) {
    support::RunUntil(fixture->loop, [&] { return fixture->store.reachable(); });
    CHECK(fixture->Put(fixture->New("k-1")));
  }
  CHECK(database.client().Ask("SELECT count(*) FROM orders") == "1");
}

}  // namespace idem::upstream

#include "upstream/postgres_order_store.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace idem::upstream {

namespace {

using libpq::Array;
using libpq::Parameter;
using libpq::Rows;
using libpq::Statement;

constexpr Duration kConnectionWait = std::chrono::seconds(2);

// Every new connection runs this, so that a database that was emptied or made again is set up
// without a restart. Programs that start together take turns; one that finds all in place locks
// nothing.
std::string SetupSql(bool legacy) {
  constexpr std::string_view kBegin = R"(
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(1919182953, 1);
  IF to_regclass('orders') IS NULL THEN
    CREATE TABLE orders (id uuid PRIMARY KEY, user_id text NOT NULL, item text NOT NULL,
                         amount numeric NOT NULL, idempotency_key text,
                         created_at timestamptz NOT NULL);
  END IF;)";
  constexpr std::string_view kUnique = R"(
  IF to_regclass('orders_unique_key') IS NULL THEN
    CREATE UNIQUE INDEX orders_unique_key ON orders (idempotency_key);
  END IF;
EXCEPTION WHEN unique_violation THEN
  RAISE EXCEPTION 'the table orders holds an idempotency key more than once (a run with --legacy): remove the extra rows, or use another database';
END $$)";
  constexpr std::string_view kLegacy = R"(
  IF to_regclass('orders_unique_key') IS NOT NULL THEN
    DROP INDEX orders_unique_key;
  END IF;
  IF to_regclass('orders_by_key') IS NULL THEN
    CREATE INDEX orders_by_key ON orders (idempotency_key);
  END IF;
END $$)";
  return std::string(kBegin) + std::string(legacy ? kLegacy : kUnique);
}

// The columns of every answer, in ReadOrder's order.
constexpr std::string_view kColumns =
    R"(id, user_id, item, amount, idempotency_key,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))";

Order ReadOrder(const Rows& rows, std::size_t row) {
  Order order;
  order.id = rows.Text(row, 0);
  order.request = {std::string(rows.Text(row, 1)), std::string(rows.Text(row, 2)),
                   std::string(rows.Text(row, 3))};
  order.key = rows.Value(row, 4);
  order.created_at = rows.Text(row, 5);
  return order;
}

constexpr std::string_view kInput = R"(
  SELECT * FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::text[]::numeric[], $5::text[])
                  AS rows (id, user_id, item, amount, idempotency_key))";
constexpr std::string_view kInsert = R"(
  INSERT INTO orders (id, user_id, item, amount, idempotency_key, created_at)
  SELECT id, user_id, item, amount, idempotency_key, clock_timestamp() FROM input)";

std::vector<Parameter> Columns(std::span<const NewOrder> rows) {
  std::vector<Array> columns(5, Array(Array::Of::kText));
  for (const NewOrder& row : rows) {
    columns[0].Add(row.id);
    columns[1].Add(row.request.user_id);
    columns[2].Add(row.request.item);
    columns[3].Add(row.request.amount);
    row.key ? columns[4].Add(*row.key) : columns[4].AddNull();
  }
  std::vector<Parameter> parameters;
  for (Array& column : columns) parameters.push_back(std::move(column).Take());
  return parameters;
}

/// Rows are dropped whose key is there, and what is there is read. The insertion goes in the order
/// of keys, so that two groups never wait for each other. What another transaction committed after
/// this statement began is neither written nor seen: that row is asked again.
class UniqueInserts final : public libpq::BatchCodec<NewOrder, Order> {
 public:
  Statement Make(std::span<const NewOrder> rows) const override {
    const std::string columns(kColumns);
    std::string sql = "WITH input AS (" + std::string(kInput) + "), inserted AS (" +
                      std::string(kInsert) +
                      " ORDER BY idempotency_key"
                      " ON CONFLICT (idempotency_key) DO NOTHING RETURNING *)"
                      " SELECT " +
                      columns + " FROM inserted UNION ALL SELECT " + columns +
                      " FROM orders WHERE idempotency_key = ANY ($5)";
    return {std::move(sql), Columns(rows)};
  }

  std::vector<std::optional<Order>> Read(std::span<const NewOrder> rows,
                                         const Rows& result) const override {
    std::unordered_map<std::string_view, std::size_t> row_of_key;
    for (std::size_t i = 0; i < result.size(); ++i) row_of_key[result.Text(i, 4)] = i;
    std::vector<std::optional<Order>> orders;
    for (const NewOrder& row : rows) {
      const auto found = row_of_key.find(*row.key);
      orders.emplace_back();
      if (found != row_of_key.end()) orders.back() = ReadOrder(result, found->second);
    }
    return orders;
  }
};

/// Every row is written.
class LegacyInserts final : public libpq::BatchCodec<NewOrder, Order> {
 public:
  Statement Make(std::span<const NewOrder> rows) const override {
    return {"WITH input AS (" + std::string(kInput) + ")" + std::string(kInsert) + " RETURNING " +
                std::string(kColumns),
            Columns(rows)};
  }

  std::vector<std::optional<Order>> Read(std::span<const NewOrder> rows,
                                         const Rows& result) const override {
    std::unordered_map<std::string_view, std::size_t> row_of_id;
    for (std::size_t i = 0; i < result.size(); ++i) row_of_id[result.Text(i, 0)] = i;
    std::vector<std::optional<Order>> orders;
    for (const NewOrder& row : rows) orders.emplace_back(ReadOrder(result, row_of_id.at(row.id)));
    return orders;
  }
};

libpq::PoolOptions PoolOptionsFor(bool legacy) {
  libpq::PoolOptions options;
  options.connection.setup = SetupSql(legacy);
  options.connection.application_name = "orders";
  return options;
}

std::unique_ptr<libpq::BatchCodec<NewOrder, Order>> InsertsFor(bool legacy) {
  if (legacy) return std::make_unique<LegacyInserts>();
  return std::make_unique<UniqueInserts>();
}

}  // namespace

PostgresOrderStore::PostgresOrderStore(event::EventLoop& loop, event::Resolver& resolver,
                                       libpq::Url url, bool legacy)
    : pool_(loop, resolver, std::move(url), PoolOptionsFor(legacy)),
      inserts_(InsertsFor(legacy)),
      insert_(loop, pool_, *inserts_, {.wait = kConnectionWait}) {}

PostgresOrderStore::~PostgresOrderStore() = default;

Ticket PostgresOrderStore::Put(NewOrder order, Function<void(Result<Order>)> on_answer) {
  return insert_.Ask(std::move(order), std::move(on_answer));
}

Ticket PostgresOrderStore::FindById(std::string id, OnFound on_found) {
  return Find("id = $1::uuid", std::move(id), std::move(on_found));
}

Ticket PostgresOrderStore::FindByKey(std::string key, OnFound on_found) {
  return Find("idempotency_key = $1", std::move(key), std::move(on_found));
}

Ticket PostgresOrderStore::Find(std::string where, std::string value, OnFound on_found) {
  auto make = [where = std::move(where), value = std::move(value)] {
    std::string sql = "SELECT " + std::string(kColumns) + " FROM orders WHERE " + where +
                      " ORDER BY created_at, id LIMIT 1";
    return Statement{std::move(sql), {Parameter::Text(value)}};
  };
  return pool_.Run(std::move(make), kConnectionWait,
                   [on_found = std::move(on_found)](Result<Rows> rows) mutable {
                     if (!rows) return on_found(std::move(rows).error());
                     if (rows->size() == 0) return on_found(std::optional<Order>());
                     on_found(std::optional<Order>(ReadOrder(*rows, 0)));
                   });
}

}  // namespace idem::upstream

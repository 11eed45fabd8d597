// Orders in PostgreSQL: one table, rows of many requests in one commit.
//
// Two ways to write, chosen at start. Without `legacy` the idempotency key is unique, by an index,
// and a second row with it is dropped. With `legacy` every row is written, as an old backend would:
// that start removes the unique index. A later start without `legacy` makes it again; where the
// table then holds a key twice that fails, the log says so, and requests get errors until someone
// decides which of the rows is to stay.
#pragma once

#include "upstream/order_store.h"
#include "upstream/postgres/pool.h"
#include "upstream/postgres/statement_batcher.h"

namespace idem::upstream {

class PostgresOrderStore final : public OrderStore {
 public:
  PostgresOrderStore(event::EventLoop& loop, event::Resolver& resolver, libpq::Url url,
                     bool legacy);
  ~PostgresOrderStore() override;

  Ticket Put(NewOrder order, Function<void(Result<Order>)> on_answer) override;
  Ticket FindById(std::string id, OnFound on_found) override;
  Ticket FindByKey(std::string key, OnFound on_found) override;
  [[nodiscard]] bool reachable() const override { return pool_.reachable(); }

 private:
  using Inserts = libpq::BatchCodec<NewOrder, Order>;
  Ticket Find(std::string where, std::string value, OnFound on_found);

  libpq::Pool pool_;
  std::unique_ptr<Inserts> inserts_;
  libpq::StatementBatcher<NewOrder, Order> insert_;
};

}  // namespace idem::upstream

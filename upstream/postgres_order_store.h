// Orders in PostgreSQL: one table, with rows of many requests in one commit.
//
// Without `legacy` a unique index on the idempotency key drops a second row with the same key. With
// `legacy` every row is written, as an old backend would, and the start removes the index. A later
// start without `legacy` creates it again. That fails if the table has a key twice: the log says
// so, and requests get errors until an operator has removed the extra rows.
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

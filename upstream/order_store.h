// Where orders are kept. The service asks; the PostgreSQL one answers (postgres_order_store.h), or
// a test's.
#pragma once

#include <optional>
#include <string>

#include "proxy/base/function.h"
#include "proxy/base/result.h"
#include "proxy/base/ticket.h"
#include "upstream/order.h"

namespace idem::upstream {

struct NewOrder {
  std::string id;  // of the row, if one is written
  OrderRequest request;
  std::optional<std::string> key;
};

/// Answers come on a later turn. Errors: the database is away, or refused; kMaybe: the row may have
/// been written.
class OrderStore {
 public:
  virtual ~OrderStore() = default;

  /// Writes a row, unless the store drops duplicates and one with this key is there already.
  /// Answers the row that is there then, with its own body and id.
  [[nodiscard]] virtual Ticket Put(NewOrder order, Function<void(Result<Order>)> on_answer) = 0;

  using OnFound = Function<void(Result<std::optional<Order>>)>;
  [[nodiscard]] virtual Ticket FindById(std::string id, OnFound on_found) = 0;
  /// The first one where there are several.
  [[nodiscard]] virtual Ticket FindByKey(std::string key, OnFound on_found) = 0;

  /// Whether the database could be asked just now.
  [[nodiscard]] virtual bool reachable() const = 0;
};

}  // namespace idem::upstream

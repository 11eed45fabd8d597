// Interface of the store of orders. PostgresOrderStore implements it, and tests have a fake.
#pragma once

#include <optional>
#include <string>

#include "proxy/base/function.h"
#include "proxy/base/result.h"
#include "proxy/base/ticket.h"
#include "upstream/order.h"

namespace idem::upstream {

struct NewOrder {
  std::string id;  // of the row, if it is written
  OrderRequest request;
  std::optional<std::string> key;
};

/// Callbacks run on a later turn of the loop. Errors mean that the database is unreachable or
/// refused. With Delivery::kMaybeSent the row may have been written.
class OrderStore {
 public:
  virtual ~OrderStore() = default;

  /// Writes a row, unless the store drops duplicates and already has a row with this key. Returns
  /// the stored row, with its own body and id.
  [[nodiscard]] virtual Ticket Put(NewOrder order, Function<void(Result<Order>)> on_answer) = 0;

  using OnFound = Function<void(Result<std::optional<Order>>)>;
  [[nodiscard]] virtual Ticket FindById(std::string id, OnFound on_found) = 0;
  /// Returns the first row if there are several.
  [[nodiscard]] virtual Ticket FindByKey(std::string key, OnFound on_found) = 0;

  /// Returns true if the database is reachable.
  [[nodiscard]] virtual bool reachable() const = 0;
};

}  // namespace idem::upstream

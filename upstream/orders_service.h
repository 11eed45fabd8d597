// The order service without its sockets and its database.
#pragma once

#include <memory>
#include <unordered_map>

#include "upstream/order_exchange.h"

namespace idem::upstream {

/// Runs on one loop and owns the requests that run on it.
class OrdersService final : public http::ServerService, private OrderExchangeOwner {
 public:
  /// `random` makes the ids of orders.
  OrdersService(Loop& loop, OrderStore& store, Random& random, const FaultPlan& plan);
  ~OrdersService() override;

  http::ServerHandler* OnRequest(http::ServerStream& stream, http::RequestHead& head) override;
  http::ServerHandler* OnBadRequest(http::ServerStream& stream, http::RequestHead& head,
                                    const http::ParseError& error) override;

  /// Cuts the connections that hang on purpose, so that the process can end.
  void AbortHanging();

 private:
  OrderExchange& Add(http::ServerStream& stream, http::RequestHead& head);
  void Retire(OrderExchange& exchange) override;

  Loop& loop_;
  FaultDraw faults_;
  const OrderExchangeContext context_;
  std::unordered_map<const OrderExchange*, std::unique_ptr<OrderExchange>> exchanges_;
};

}  // namespace idem::upstream

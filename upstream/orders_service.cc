#include "upstream/orders_service.h"

#include <utility>
#include <vector>

#include "upstream/order_exchange.h"

namespace idem::upstream {

OrdersService::OrdersService(Loop& loop, OrderStore& store, Random& random,
                             const FaultPlan& behaviour)
    : loop_(loop),
      store_(store),
      random_(random),
      behaviour_(behaviour),
      chance_(behaviour.fault_seed) {}

OrdersService::~OrdersService() = default;

http::ServerHandler* OrdersService::OnRequest(http::ServerStream& stream, http::RequestHead& head) {
  OrderExchange& exchange = Add(std::make_unique<OrderExchange>(*this, stream, std::move(head)));
  exchange.Begin();
  return &exchange;
}

http::ServerHandler* OrdersService::OnBadRequest(http::ServerStream& stream,
                                                 http::RequestHead& head,
                                                 const http::ParseError& error) {
  OrderExchange& exchange = Add(std::make_unique<OrderExchange>(*this, stream, std::move(head)));
  exchange.BeginRefusal(error);
  return &exchange;
}

OrderExchange& OrdersService::Add(std::unique_ptr<OrderExchange> exchange) {
  OrderExchange& added = *exchange;
  exchanges_.emplace(&added, std::move(exchange));
  return added;
}

void OrdersService::Retire(OrderExchange& exchange) {
  auto node = exchanges_.extract(&exchange);
  INVARIANT(!node.empty());
  loop_.DeleteLater(std::move(node.mapped()));
}

void OrdersService::AbortHanging() {
  std::vector<OrderExchange*> all;
  for (const auto& [_, exchange] : exchanges_) all.push_back(exchange.get());
  for (OrderExchange* exchange : all) exchange->AbortIfHanging();
}

Fault OrdersService::DrawFault() {
  if (behaviour_.fault == Fault::kNone) return Fault::kNone;
  return std::bernoulli_distribution(behaviour_.fault_rate)(chance_) ? behaviour_.fault
                                                                     : Fault::kNone;
}

}  // namespace idem::upstream

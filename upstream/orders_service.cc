#include "upstream/orders_service.h"

#include <utility>
#include <vector>

#include "proxy/base/invariant.h"

namespace idem::upstream {

OrdersService::OrdersService(Loop& loop, OrderStore& store, Random& random, const FaultPlan& plan)
    : loop_(loop), faults_(plan), context_{*this, loop, store, random, faults_} {}

OrdersService::~OrdersService() = default;

http::ServerHandler* OrdersService::OnRequest(http::ServerStream& stream, http::RequestHead& head) {
  OrderExchange& exchange = Add(stream, head);
  exchange.Begin();
  return &exchange;
}

http::ServerHandler* OrdersService::OnBadRequest(http::ServerStream& stream,
                                                 http::RequestHead& head,
                                                 const http::ParseError& error) {
  OrderExchange& exchange = Add(stream, head);
  exchange.BeginRefusal(error);
  return &exchange;
}

OrderExchange& OrdersService::Add(http::ServerStream& stream, http::RequestHead& head) {
  auto exchange = std::make_unique<OrderExchange>(context_, stream, std::move(head));
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

}  // namespace idem::upstream

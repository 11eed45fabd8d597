#include "proxy/exchange/exchange_registry.h"

#include <utility>

namespace idem::exchange {

http::ServerHandler* ExchangeRegistry::OnRequest(http::ServerStream& stream,
                                                 http::RequestHead& head) {
  Exchange& exchange = Make(stream, head);
  exchange.Start();
  return &exchange;
}

http::ServerHandler* ExchangeRegistry::OnBadRequest(http::ServerStream& stream,
                                                    http::RequestHead& head,
                                                    const http::ParseError& error) {
  Exchange& exchange = Make(stream, head);
  exchange.StartUnreadable(error);
  return &exchange;
}

Exchange& ExchangeRegistry::Make(http::ServerStream& stream, http::RequestHead& head) {
  auto exchange = std::make_unique<Exchange>(parts_, *this, site_, stream, head);
  exchange->registry_index_ = live_.size();
  return *live_.emplace_back(std::move(exchange));
}

void ExchangeRegistry::Cut() {
  while (!live_.empty()) live_.back()->Cut();
}

void ExchangeRegistry::Retire(Exchange& exchange) {
  const std::size_t index = exchange.registry_index_;
  INVARIANT(index < live_.size() && live_[index].get() == &exchange);
  std::swap(live_[index], live_.back());
  live_[index]->registry_index_ = index;
  auto retired = std::move(live_.back());
  live_.pop_back();
  parts_.loop.DeleteLater(std::move(retired));
}

}  // namespace idem::exchange

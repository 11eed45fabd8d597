#include "proxy/exchange/exchange_registry.h"

#include <utility>

namespace idem::exchange {

http::ServerHandler* ExchangeRegistry::OnRequest(http::ServerStream& stream,
                                                 http::RequestHead& head) {
  Exchange& exchange = Make(stream, head);
  if (draining_) {
    exchange.StartDraining();
  } else {
    exchange.Start();
  }
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
  exchange->set_place(live_.size());
  return *live_.emplace_back(std::move(exchange));
}

void ExchangeRegistry::Cut() {
  while (!live_.empty()) live_.back()->Cut();
}

void ExchangeRegistry::Retire(std::size_t place) {
  INVARIANT(place < live_.size());
  std::swap(live_[place], live_.back());
  live_[place]->set_place(place);
  auto retired = std::move(live_.back());
  live_.pop_back();
  parts_.loop.DeleteLater(std::move(retired));
}

}  // namespace idem::exchange

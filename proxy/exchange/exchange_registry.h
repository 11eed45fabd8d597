// Makes an exchange for each request of a server, and owns the live exchanges of one loop.
#pragma once

#include <memory>
#include <vector>

#include "proxy/exchange/exchange.h"

namespace idem::exchange {

class ExchangeRegistry final : public http::ServerService, public Retirement {
 public:
  ExchangeRegistry(const ExchangeContext& parts, std::shared_ptr<const SiteSnapshot> site)
      : parts_(parts), site_(std::move(site)) {}

  http::ServerHandler* OnRequest(http::ServerStream& stream, http::RequestHead& head) override;
  http::ServerHandler* OnBadRequest(http::ServerStream& stream, http::RequestHead& head,
                                    const http::ParseError& error) override;

  /// Later exchanges use this snapshot.
  void SetSite(std::shared_ptr<const SiteSnapshot> site) { site_ = std::move(site); }
  /// Later requests are answered 503.
  void Drain() { draining_ = true; }

  /// Ends all live exchanges, because the grace period is over. They are reported as they are, and
  /// destroyed on a later turn.
  void Cut();

  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] std::size_t live() const { return live_.size(); }

 private:
  Exchange& Make(http::ServerStream& stream, http::RequestHead& head);
  void Retire(std::size_t place) override;

  const ExchangeContext parts_;
  std::shared_ptr<const SiteSnapshot> site_;
  std::vector<std::unique_ptr<Exchange>> live_;  // each has its index as its place
  bool draining_ = false;
};

}  // namespace idem::exchange

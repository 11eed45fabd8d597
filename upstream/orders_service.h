// The order service, without its sockets and its database: what it answers to which request.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <unordered_map>

#include "proxy/base/loop.h"
#include "proxy/base/random.h"
#include "proxy/http/server_stream.h"
#include "upstream/order_store.h"

namespace idem::upstream {

inline constexpr std::size_t kBodyBytesMax = 1024 * 1024;

/// A failure on purpose, for the tests of whoever stands in front of this service.
enum class Fault : std::uint8_t {
  kNone,
  kError,            // no row, 500
  kDropAfterCommit,  // a row, then the connection is cut
  kHangAfterCommit,  // a row, then no answer
};

struct FaultPlan {
  bool legacy = false;           // a POST needs no key, and every one is a new row
  Duration delay{};              // before each row is written
  Fault fault = Fault::kNone;    // of POSTs that are otherwise in order
  double fault_rate = 1;         // for that share of them, 0 to 1
  std::uint64_t fault_seed = 0;  // chance repeats itself with the seed
};

class OrderExchange;

/// One loop's. Owns the requests that run on it.
class OrdersService final : public http::ServerService {
 public:
  /// `random` makes the orders' ids.
  OrdersService(Loop& loop, OrderStore& store, Random& random, const FaultPlan& behaviour);
  ~OrdersService() override;

  http::ServerHandler* OnRequest(http::ServerStream& stream, http::RequestHead& head) override;
  http::ServerHandler* OnBadRequest(http::ServerStream& stream, http::RequestHead& head,
                                    const http::ParseError& error) override;

  /// Cuts the connections that hang on purpose: the process is about to end.
  void AbortHanging();

 private:
  friend class OrderExchange;
  OrderExchange& Add(std::unique_ptr<OrderExchange> exchange);
  void Retire(OrderExchange& exchange);
  [[nodiscard]] Fault DrawFault();

  Loop& loop_;
  OrderStore& store_;
  Random& random_;
  const FaultPlan behaviour_;
  std::mt19937_64 chance_;
  std::unordered_map<const OrderExchange*, std::unique_ptr<OrderExchange>> exchanges_;
};

}  // namespace idem::upstream

// One request on its way through the order service.
//
//   head ─▶ route ─┬─▶ (answer)
//                  ├─▶ find ─────────────────────────▶ answer
//                  └─▶ body ─▶ fault? ─▶ delay ─▶ put ─▶ answer | cut | hang
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/loop.h"
#include "proxy/base/random.h"
#include "proxy/http/server_stream.h"
#include "upstream/fault_plan.h"
#include "upstream/order_store.h"
#include "upstream/route.h"

namespace idem::upstream {

inline constexpr std::size_t kBodyBytesMax = 1024 * 1024;

class OrderExchange;

class OrderExchangeOwner {
 public:
  virtual ~OrderExchangeOwner() = default;
  /// Destroys the exchange on a later turn of the loop.
  virtual void Retire(OrderExchange& exchange) = 0;
};

/// Everything that an exchange uses. All of it outlives the exchange.
struct OrderExchangeContext {
  OrderExchangeOwner& owner;
  Loop& loop;
  OrderStore& store;
  Random& random;
  FaultDraw& faults;
};

/// Ends when the response has been sent, when the connection is cut, or when the client goes.
class OrderExchange final : public http::ServerHandler, public Retirable {
 public:
  OrderExchange(const OrderExchangeContext& context, http::ServerStream& stream,
                http::RequestHead head);

  /// Begins on the next turn of the loop, so that no response is sent inside the call that
  /// delivered the request.
  void Begin();
  /// Begins the refusal of a request that could not be read.
  void BeginRefusal(const http::ParseError& error);
  /// Cuts the connection if it hangs on purpose.
  void AbortIfHanging();

  void OnBody(std::string_view bytes) override;
  void OnBodyEnd() override;
  void OnBodyError(const http::ParseError& error) override;
  void OnClientGone() override;
  void OnDrained() override {}

 private:
  void OnRoute(CreateOrder create);
  void OnRoute(FindOrderById find);
  void OnRoute(FindOrderByKey find);
  void OnRoute(ShowHealth);
  void OnRoute(const OrderResponse& decided) { Send(decided); }
  void Put(const OrderRequest& request);
  void OnPut(const OrderRequest& request, Result<Order> stored);
  void OnFound(Result<std::optional<Order>> found);
  void SendFailure(const Error& error);
  void SendPutFailure(const Error& error);
  void Send(const OrderResponse& answer);
  void Finish();

  const OrderExchangeContext& context_;
  http::ServerStream* stream_;  // null once it has ended
  http::RequestHead head_;
  std::string body_;
  std::optional<std::string> key_;
  Fault fault_ = Fault::kNone;
  bool hanging_ = false;
  Ticket pending_;  // the only open wait
};

}  // namespace idem::upstream

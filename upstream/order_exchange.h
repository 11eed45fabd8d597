// One request on its way through the order service.
//
//   head ─▶ route ─┬─▶ (answer)
//                  ├─▶ find ─────────────────────────▶ answer
//                  └─▶ body ─▶ fault? ─▶ delay ─▶ put ─▶ answer | cut | hang
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/loop.h"
#include "proxy/http/server_stream.h"
#include "upstream/orders_service.h"
#include "upstream/route.h"

namespace idem::upstream {

/// Owned by its service. Its stream ends it: by an answer, by a cut, or by going away.
class OrderExchange final : public http::ServerHandler, public Retirable {
 public:
  OrderExchange(OrdersService& service, http::ServerStream& stream, http::RequestHead head);

  /// Begins on the next turn, so that nothing is answered inside the call that brought the request.
  void Begin();
  /// The same, for what could not be read.
  void BeginRefusal(const http::ParseError& error);
  /// Cuts the connection, if it is one that hangs on purpose.
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

  OrdersService& service_;
  http::ServerStream* stream_;  // null once it has ended
  http::RequestHead head_;
  std::string body_;
  std::optional<std::string> key_;
  Fault fault_ = Fault::kNone;
  bool hanging_ = false;
  Ticket pending_;  // the one thing that is waited for
};

}  // namespace idem::upstream

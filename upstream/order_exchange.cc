#include "upstream/order_exchange.h"

#include <utility>

#include "proxy/base/log.h"

namespace idem::upstream {

OrderExchange::OrderExchange(const OrderExchangeContext& context, http::ServerStream& stream,
                             http::RequestHead head)
    : context_(context), stream_(&stream), head_(std::move(head)) {}

void OrderExchange::Begin() {
  pending_ = context_.loop.After(Duration::zero(), [this] {
    std::visit([this](auto&& route) { OnRoute(std::forward<decltype(route)>(route)); },
               ReadRoute(head_, !context_.faults.plan().legacy));
  });
}

void OrderExchange::BeginRefusal(const http::ParseError& error) {
  pending_ = context_.loop.After(
      Duration::zero(),
      [this, answer = ProblemAnswer(error.status, error.name, error.detail)] { Send(answer); });
}

void OrderExchange::OnRoute(CreateOrder create) {
  if (head_.body.kind == http::BodyLength::Kind::kKnown && head_.body.bytes > kBodyBytesMax) {
    return Send(ProblemAnswer(413, "body-too-large", "the body must have at most 1 MiB"));
  }
  key_ = std::move(create.key);
  stream_->ResumeBody();
}

void OrderExchange::OnRoute(FindOrderById find) {
  pending_ = context_.store.FindById(
      std::move(find.id),
      [this](Result<std::optional<Order>> found) { OnFound(std::move(found)); });
}

void OrderExchange::OnRoute(FindOrderByKey find) {
  pending_ = context_.store.FindByKey(
      std::move(find.key),
      [this](Result<std::optional<Order>> found) { OnFound(std::move(found)); });
}

void OrderExchange::OnRoute(ShowHealth) {
  OrderResponse answer;
  answer.body = std::string(R"({"status":"ok","database":")") +
                (context_.store.reachable() ? "reachable" : "unreachable") + R"("})";
  Send(answer);
}

void OrderExchange::OnBody(std::string_view bytes) {
  if (body_.size() + bytes.size() > kBodyBytesMax) {
    stream_->PauseBody();
    body_.clear();
    pending_ = context_.loop.After(Duration::zero(), [this] {
      Send(ProblemAnswer(413, "body-too-large", "the body must have at most 1 MiB"));
    });
    return;
  }
  body_.append(bytes);
}

void OrderExchange::OnBodyEnd() {
  if (pending_.open()) return;  // refused already
  auto request = ParseOrderRequest(body_);
  if (!request) return Send(ProblemAnswer(400, "order-invalid", request.error().detail));
  fault_ = context_.faults.Draw();
  if (fault_ == Fault::kError) {
    return Send(ProblemAnswer(500, "fault", "this request fails on purpose (--fail 500)"));
  }
  if (context_.faults.plan().delay == Duration::zero()) return Put(*request);
  pending_ = context_.loop.After(context_.faults.plan().delay,
                                 [this, order = *std::move(request)] { Put(order); });
}

void OrderExchange::Put(const OrderRequest& request) {
  pending_ = context_.store.Put(
      {NewUuid(context_.random), request, key_},
      [this, request](Result<Order> stored) { OnPut(request, std::move(stored)); });
}

void OrderExchange::OnPut(const OrderRequest& request, Result<Order> stored) {
  if (!stored) return SendPutFailure(stored.error());
  if (fault_ == Fault::kHangAfterCommit) {
    hanging_ = true;
    return;
  }
  if (fault_ == Fault::kDropAfterCommit) {
    stream_->Abort();
    return Finish();
  }
  if (!SameOrder(stored->request, request)) {
    return Send(ProblemAnswer(409, "key-reused", "this Idempotency-Key belongs to another order"));
  }
  Send(OrderAnswer(201, *stored));
}

void OrderExchange::OnFound(Result<std::optional<Order>> found) {
  if (!found) return SendFailure(found.error());
  if (!*found) return Send(ProblemAnswer(404, "no-order", "no such order"));
  Send(OrderAnswer(200, **found));
}

void OrderExchange::SendFailure(const Error& error) {
  log::Write(log::Level::kError, "order_failed", {{"detail", std::string_view(error.detail)}});
  Send(ProblemAnswer(500, "database", "the database did not accept the request; try again"));
}

// A connection that was lost while the commit was under way leaves open whether the order is there.
// A 500 would say that it is not.
void OrderExchange::SendPutFailure(const Error& error) {
  if (error.delivery == Delivery::kNotSent) return SendFailure(error);
  log::Write(log::Level::kError, "order_unknown", {{"detail", std::string_view(error.detail)}});
  Send(ProblemAnswer(503, "outcome-unknown",
                     "the database was lost while it took the request; the order may be there"));
}

void OrderExchange::OnBodyError(const http::ParseError& error) {
  Send(ProblemAnswer(error.status, error.name, error.detail));
}

void OrderExchange::OnClientGone() { Finish(); }

void OrderExchange::AbortIfHanging() {
  if (!hanging_) return;
  stream_->Abort();
  Finish();
}

void OrderExchange::Send(const OrderResponse& answer) {
  if (log::enabled(log::Level::kDebug)) {
    const std::string_view target = head_.target;
    log::Write(log::Level::kDebug, "request",
               {{"method", std::string_view(head_.method)},
                {"path", target.substr(0, target.find('?'))},
                {"status", std::uint64_t{answer.status}}});
  }
  http::ResponseHead head;
  head.status = answer.status;
  head.body = http::BodyLength::Known(answer.body.size());
  head.fields.Add("Content-Type", answer.media_type);
  if (!answer.allow.empty()) head.fields.Add("Allow", answer.allow);
  stream_->SendHead(head);
  stream_->SendBody(answer.body);
  stream_->End();
  Finish();
}

void OrderExchange::Finish() {
  stream_ = nullptr;
  pending_ = Ticket();
  context_.owner.Retire(*this);
}

}  // namespace idem::upstream

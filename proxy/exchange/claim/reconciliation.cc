#include "proxy/exchange/claim/reconciliation.h"

#include <utility>

#include "proxy/exchange/rules/forwarded_head.h"

namespace idem::exchange {

using idempotency::LookUpMeaning;

Reconciliation::Reconciliation(ports::Upstream& upstream, const ProtectedRequest& request,
                               OnResult on_result)
    : policy_(*request.policy), on_result_(std::move(on_result)) {
  const idempotency::ReconcileRule& rule = *policy_.reconcile;
  const std::string target = idempotency::LookUpTarget(rule, request.key, request.client);
  http::RequestHead head;
  BuildLookUpHead({.asker = request.head,
                   .target = target,
                   .headers = rule.headers,
                   .request_id = request.request_id,
                   .client_id = request.client},
                  head);
  call_ = upstream.Send(head, nullptr, {.retry_stale = true}, *this);
}

void Reconciliation::OnUpstreamHead(http::ResponseHead& head) {
  if (!response_.TakeHead(head, policy_.max_recorded_body)) Conclude();
}

void Reconciliation::OnUpstreamBody(std::string_view bytes) {
  if (!response_.TakeBody(bytes, policy_.max_recorded_body)) Conclude();
}

void Reconciliation::OnUpstreamEnd() {
  static_cast<void>(response_.TakeEnd(call_->announces_close()));
  Conclude();
}

void Reconciliation::OnUpstreamFailure(const ports::UpstreamFailure& failure) {
  Answer({.meaning = LookUpMeaning::kUnclear, .response = nullptr, .reason = failure.detail});
}

void Reconciliation::Conclude() {
  const idempotency::ReconcileRule& rule = *policy_.reconcile;
  Result result;
  result.meaning = DecideLookUp(rule, {.status = response_.head.status,
                                       .whole = response_.complete && !response_.too_large,
                                       .body = response_.body});
  if (result.meaning == LookUpMeaning::kFound) {
    auto stored = response_.MoveToStored(policy_.replay_drop);
    stored->status = rule.found;
    result.response = std::move(stored);
  } else if (result.meaning == LookUpMeaning::kUnclear) {
    result.reason = "the backend answered " + std::to_string(response_.head.status) +
                    (response_.too_large   ? ", larger than max_recorded_body"
                     : !response_.complete ? ", in a body that ended with its connection"
                     : response_.head.status / 100 == 2 ? ", without what found_when asks for"
                                                        : "");
  }
  Answer(std::move(result));
}

void Reconciliation::GiveUp() {
  if (call_ == nullptr) return;
  address_ = call_->address();
  call_.reset();
}

// The call is dropped inside its own event, which may be; the look-up itself is not.
void Reconciliation::Answer(Result result) {
  GiveUp();
  auto on_result = std::move(on_result_);
  on_result(std::move(result));
}

}  // namespace idem::exchange

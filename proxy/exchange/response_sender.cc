#include "proxy/exchange/response_sender.h"

#include "proxy/exchange/rules/caller_identity.h"

namespace idem::exchange {

void FramedResponse::Send() const {
  stream.SendHead(head);
  if (!body.empty()) stream.SendBody(body);
  stream.End();
}

FramedResponse ResponseSender::Frame(http::ResponseHead& head, std::string_view body,
                                     const AppliedLimit& limit) {
  AddOwnFields(head, limit);
  const std::string_view sent = FrameWhole(report_->method, body, head);
  report_->status = head.status;
  report_->bytes_out = sent.size();
  return {.stream = *TakeStream(), .head = head, .body = sent};
}

void ResponseSender::BeginStreaming(const http::ResponseHead& response, ResponseOrigin origin,
                                    const AppliedLimit& limit) {
  streaming_ = true;
  http::ResponseHead head = HeadForClient(response, origin);
  AddOwnFields(head, limit);
  head.body = StreamedLength(report_->method, response);
  report_->status = head.status;
  stream_->SendHead(head);
}

bool ResponseSender::StreamBody(std::string_view bytes) {
  if (stream_ == nullptr || bytes.empty()) return true;
  report_->bytes_out += bytes.size();
  stream_->SendBody(bytes);
  return stream_->unsent_bytes() <= kUnsentMax;
}

void ResponseSender::AddOwnFields(http::ResponseHead& head, const AppliedLimit& limit) {
  if (limit.result != nullptr) AddLimitFields(*limit.rule, *limit.result, head.fields);
  head.fields.Set("X-Request-Id", report_->request_id);
  if (report_->unrecorded) head.fields.Add("Idempotency-Status", "unrecorded");
}

}  // namespace idem::exchange

#include "proxy/http_server/running_request.h"

#include <algorithm>
#include <utility>

#include "proxy/base/invariant.h"

namespace idem::http_server {

using Kind = http::BodyLength::Kind;

void RunningRequest::Begin(const http::RequestHead& head) {
  *this = {};
  body_ = head.body;
  bytes_left_ = head.body.bytes;
  expects_continue_ = head.expects_continue;
  answered_ = false;
}

void RunningRequest::BeginUnreadable() {
  *this = {};
  ended_ = true;
  answered_ = false;
}

void RunningRequest::SetHandler(http::ServerHandler* handler) {
  INVARIANT(handler != nullptr);
  handler_ = handler;
}

bool RunningRequest::TakeExpectContinue() { return std::exchange(expects_continue_, false); }

void RunningRequest::OnBody(std::string_view bytes) {
  bytes_left_ -= std::min<std::uint64_t>(bytes_left_, bytes.size());
  if (active()) handler_->OnBody(bytes);
}

void RunningRequest::OnBodyEnd() {
  ended_ = true;
  if (active()) handler_->OnBodyEnd();
}

void RunningRequest::OnBodyError(const http::ParseError& error) {
  ended_ = true;
  handler_->OnBodyError(error);
}

void RunningRequest::OnDrained() {
  if (active()) handler_->OnDrained();
}

void RunningRequest::OnClientGone() {
  if (!std::exchange(answered_, true)) handler_->OnClientGone();
}

bool RunningRequest::needs_bytes() const {
  const bool has_all = body_.kind == Kind::kKnown && bytes_left_ == 0;
  return !ended_ && body_.kind != Kind::kNone && !has_all;
}

bool RunningRequest::ends_within(std::size_t bytes) const {
  return !needs_bytes() || (body_.kind == Kind::kKnown && bytes_left_ <= bytes);
}

}  // namespace idem::http_server

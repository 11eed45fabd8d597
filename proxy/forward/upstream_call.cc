#include "proxy/forward/upstream_call.h"

#include <utility>

#include "proxy/base/log.h"
#include "proxy/http/head_writer.h"

namespace idem::forward {

using ports::UpstreamProblem;
using Kind = http::BodyLength::Kind;

ForwardCall::ForwardCall(UpstreamResources& resources, const http::RequestHead& head,
                         const std::string* body, const ports::UpstreamTerms& terms,
                         ports::UpstreamEvents& events)
    : resources_(resources),
      events_(events),
      terms_(terms),
      method_(head.method),
      head_(resources.buffers.Take()),
      body_(body),
      streams_body_(body == nullptr && head.body.kind != Kind::kNone),
      chunked_(head.body.kind == Kind::kChunked),
      body_left_(head.body.bytes),
      body_ended_(!streams_body_ || head.body == http::BodyLength::Known(0)),
      deadline_([this] { OnTimeout(); }) {
  INVARIANT(body == nullptr || head.body == http::BodyLength::Known(body->size()) ||
            (body->empty() && head.body.kind == Kind::kNone));
  http::AppendRequestHead(head, head_);
  ++resources_.calls;
  deadline_.Start(resources_.queue_timeouts);
  pending_ = resources_.gate.Enter(resources_.loop,
                                   [this](InFlightLimit::Slot slot) { OnSlot(std::move(slot)); });
}

ForwardCall::~ForwardCall() {
  if (connection_ != nullptr && phase_ == Phase::kReady) {
    resources_.idle.Keep(std::move(connection_));  // nothing was written on it
  } else if (connection_ != nullptr) {
    UpstreamConnection::Retire(resources_.loop, std::move(connection_), /*abort=*/true);
  }
  resources_.buffers.Give(std::move(head_));
  --resources_.calls;
}

void ForwardCall::OnSlot(InFlightLimit::Slot slot) {
  deadline_.Stop();
  if (!slot) {
    return Fail(UpstreamProblem::kOverloaded, Delivery::kNotSent,
                "too many requests wait in the queue");
  }
  slot_ = std::move(slot);
  connection_ = resources_.idle.Take(terms_.claim);
  if (connection_ == nullptr) return Dial();
  kept_connection_ = true;
  connection_->SetUser(*this);
  OnReady();
}

/// Connects to one address after the other.
void ForwardCall::Dial() {
  kept_connection_ = false;
  if (resources_.directory.fixed()) return OnLookedUp();
  phase_ = Phase::kLookingUp;
  deadline_.Start(resources_.look_up_timeouts);
  pending_ = resources_.directory.LookUp([this](std::monostate) { OnLookedUp(); });
}

void ForwardCall::OnLookedUp() {
  deadline_.Stop();
  phase_ = Phase::kConnecting;
  candidates_ = resources_.directory.Candidates();
  attempts_ = 0;
  ConnectToNext(resources_.directory.look_up_error());
}

void ForwardCall::ConnectToNext(std::string_view last_error) {
  if (attempts_ == candidates_.size() || attempts_ == kConnectAttemptsMax) {
    return Fail(UpstreamProblem::kUnreachable, Delivery::kNotSent, last_error);
  }
  connection_ = resources_.Connect(candidates_[attempts_++], *this);
}

void ForwardCall::OnConnectFailed(const Error& error) {
  resources_.directory.SetAside(candidates_[attempts_ - 1]);
  if (candidates_.size() > 1) {  // nobody else tells of it where the next one answers
    log::WriteLimited(log::Level::kWarn, "upstream_address_set_aside",
                      {{"upstream", std::string_view(resources_.options.name)},
                       {"reason", std::string_view(error.detail)}});
  }
  UpstreamConnection::Retire(resources_.loop, std::move(connection_), /*abort=*/true);
  ConnectToNext(error.detail);
}

void ForwardCall::OnConnected() {
  resources_.directory.SetRight(candidates_[attempts_ - 1]);
  OnReady();
}

void ForwardCall::OnReady() {
  phase_ = Phase::kReady;
  address_ = connection_->address();
  if (!retried_) {
    const event::DestructionGuard::Watch watch(lifeline_);
    const bool go = events_.OnUpstreamReady();
    if (watch.destroyed()) return;
    if (!go) {
      Finish();
      return resources_.idle.Keep(std::move(connection_));
    }
  }
  SendFirstBytes();
}

void ForwardCall::SendFirstBytes() {
  phase_ = Phase::kSent;
  const bool taken = connection_->Send(method_, head_, body_ != nullptr ? *body_ : waiting_body_);
  if (!taken) {
    UpstreamConnection::Retire(resources_.loop, std::move(connection_), /*abort=*/true);
    if (MayRetryStale()) return retried_ = true, Dial();
    return Fail(UpstreamProblem::kUnreachable, Delivery::kNotSent,
                address_ + ": the connection was dead before the first byte");
  }
  if (paused_) connection_->PauseResponse();
  UpdateDeadline();
  const bool body_waited = !std::exchange(waiting_body_, {}).empty();
  if (body_waited && unsent_bytes() == 0) events_.OnUpstreamSent();
}

/// Sends a second time only a request without a body and without an effect (RFC 9110, section
/// 9.2.2), and only if the caller's terms allow it.
bool ForwardCall::MayRetryStale() const {
  return terms_.retry_stale && kept_connection_ && !retried_ && !streams_body_ &&
         (body_ == nullptr || body_->empty());
}

void ForwardCall::OnBroken(UpstreamConnection& connection, UpstreamProblem problem,
                           std::string_view detail) {
  const bool stale = problem == UpstreamProblem::kReset && !connection.response_begun();
  UpstreamConnection::Retire(resources_.loop, std::move(connection_), /*abort=*/true);
  if (stale && MayRetryStale()) {
    retried_ = true;
    deadline_.Stop();
    return Dial();
  }
  const bool says_where = detail.starts_with(address_ + ": ");  // details from below HTTP do
  Fail(problem, Delivery::kMaybeSent,
       says_where ? std::string(detail) : address_ + ": " + std::string(detail));
}

void ForwardCall::OnRead() {
  if (terms_.streamed) UpdateDeadline();
}

void ForwardCall::OnResponseHead(http::ResponseHead& head) {
  head.status / 100 == 1 ? events_.OnUpstreamInterim(head) : events_.OnUpstreamHead(head);
}

void ForwardCall::OnResponseEnd() {
  // The answer may come before the whole request was sent. Then the backend still waits for the
  // rest and would take the next request for it.
  const bool all_sent = body_ended_ && connection_->unsent_bytes() == 0;
  if (all_sent && connection_->reusable()) {
    resources_.idle.Keep(std::move(connection_));
  } else {
    UpstreamConnection::Retire(resources_.loop, std::move(connection_), /*abort=*/!all_sent);
  }
  Finish();
  events_.OnUpstreamEnd();
}

void ForwardCall::SendBody(std::string_view bytes) {
  if (phase_ == Phase::kDone || bytes.empty()) return;
  INVARIANT(streams_body_ && !body_ended_);
  if (chunked_) {
    std::string chunk = resources_.buffers.Take();
    http::AppendChunk(bytes, chunk);
    WriteBody(chunk);
    return resources_.buffers.Give(std::move(chunk));
  }
  INVARIANT(bytes.size() <= body_left_);
  body_left_ -= bytes.size();
  body_ended_ = body_left_ == 0;
  WriteBody(bytes);
}

void ForwardCall::EndBody() {
  if (phase_ == Phase::kDone) return;
  INVARIANT(streams_body_ && body_ended_ == !chunked_);
  if (!chunked_) return;
  body_ended_ = true;
  WriteBody(http::kLastChunk);
}

void ForwardCall::WriteBody(std::string_view framed) {
  if (phase_ != Phase::kSent) {
    waiting_body_.append(framed);
    return;
  }
  connection_->SendMore(framed);
  if (terms_.streamed) UpdateDeadline();
}

void ForwardCall::OnSent() {
  if (terms_.streamed) UpdateDeadline();
  if (streams_body_) events_.OnUpstreamSent();
}

std::size_t ForwardCall::unsent_bytes() const {
  return phase_ == Phase::kSent ? connection_->unsent_bytes() : waiting_body_.size();
}

void ForwardCall::PauseResponse() {
  paused_ = true;
  if (phase_ != Phase::kSent) return;
  connection_->PauseResponse();
  UpdateDeadline();
}

void ForwardCall::ResumeResponse() {
  if (!std::exchange(paused_, false) || phase_ != Phase::kSent) return;
  connection_->ResumeResponse();
  UpdateDeadline();
}

/// The response timeout runs only while the backend is awaited. It stops while its response is
/// paused, and starts again from zero after that. With `streamed` it also stops until the request's
/// body is complete.
void ForwardCall::UpdateDeadline() {
  const bool our_turn =
      paused_ || (terms_.streamed && !body_ended_ && connection_->unsent_bytes() == 0);
  if (our_turn) return deadline_.Stop();
  if (terms_.streamed || !deadline_.running()) deadline_.Start(resources_.response_timeouts);
}

void ForwardCall::OnTimeout() {
  pending_.Withdraw();
  switch (phase_) {
    case Phase::kQueued:
      return Fail(UpstreamProblem::kOverloaded, Delivery::kNotSent, "no slot within queue_timeout");
    case Phase::kLookingUp:  // earlier addresses may be good enough
      phase_ = Phase::kConnecting;
      candidates_ = resources_.directory.Candidates();
      attempts_ = 0;
      return ConnectToNext("the name look-up took longer than connect_timeout");
    case Phase::kSent:
      UpstreamConnection::Retire(resources_.loop, std::move(connection_), /*abort=*/true);
      return Fail(UpstreamProblem::kTimeout, Delivery::kMaybeSent,
                  address_ + ": no complete answer within response_timeout");
    case Phase::kConnecting:  // the connection has its own deadline
    case Phase::kReady:
    case Phase::kDone:
      break;
  }
  INVARIANT(!"a deadline runs in a phase that has none");
}

void ForwardCall::Finish() {
  phase_ = Phase::kDone;
  deadline_.Stop();
  slot_.Release();
}

void ForwardCall::Fail(UpstreamProblem problem, Delivery delivery, std::string_view detail) {
  const ports::UpstreamFailure failure{
      .problem = problem, .delivery = delivery, .detail = std::string(detail)};
  Finish();
  events_.OnUpstreamFailure(failure);
}

}  // namespace idem::forward

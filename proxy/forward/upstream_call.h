// One request on its way to the backend: implements ports::UpstreamCall.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/event/destruction_guard.h"
#include "proxy/forward/upstream_resources.h"
#include "proxy/ports/upstream.h"

namespace idem::forward {

///            an idle connection
///          ┌──────────────────────────────────────────┐
///          │                                          ▼
///   queued ─▶ looking up ─▶ connecting (1 to 3 times) ─▶ ready ─▶ sent ─▶ done
///                  ▲                                               │
///                  └──────────── once, with retry_stale ───────────┘
///
/// Before `sent` nothing was written, so every failure has Delivery::kNotSent; from `sent` on it
/// has kMaybeSent.
class ForwardCall final : public ports::UpstreamCall, public UpstreamConnectionEvents {
 public:
  ForwardCall(UpstreamResources& resources, const http::RequestHead& head, const std::string* body,
              const ports::UpstreamTerms& terms, ports::UpstreamEvents& events);
  ~ForwardCall() override;

  void SendBody(std::string_view bytes) override;
  void EndBody() override;
  std::size_t unsent_bytes() const override;
  void PauseResponse() override;
  void ResumeResponse() override;
  std::string_view address() const override { return address_; }
  bool announces_close() const override { return resources_.options.tls.has_value(); }

 private:
  enum class Phase : std::uint8_t { kQueued, kLookingUp, kConnecting, kReady, kSent, kDone };

  void OnSlot(InFlightLimit::Slot slot);
  void Dial();
  void OnLookedUp();
  void ConnectToNext(std::string_view last_error);
  void OnReady();
  void SendFirstBytes();
  bool MayRetryStale() const;
  void WriteBody(std::string_view framed);
  void UpdateDeadline();
  void OnTimeout();
  void Finish();
  void Fail(ports::UpstreamProblem problem, Delivery delivery, std::string_view detail);

  // UpstreamConnectionEvents
  void OnConnected() override;
  void OnConnectFailed(const Error& error) override;
  void OnRead() override;
  void OnResponseHead(http::ResponseHead& head) override;
  void OnResponseBody(std::string_view bytes) override { events_.OnUpstreamBody(bytes); }
  void OnResponseEnd() override;
  void OnBroken(UpstreamConnection& connection, ports::UpstreamProblem problem,
                std::string_view detail) override;
  void OnSent() override;

  UpstreamResources& resources_;
  ports::UpstreamEvents& events_;
  const ports::UpstreamTerms terms_;
  const std::string method_;
  std::string head_;         // in wire form
  const std::string* body_;  // owned by the caller; null if there is none or it is streamed
  const bool streams_body_;
  const bool chunked_;
  std::uint64_t body_left_;  // of a streamed body with a known length
  bool body_ended_;          // no more body will be given; a body of known length ends by itself
  // Framed pieces of a streamed body that came before the connection was ready.
  std::string waiting_body_;

  Phase phase_ = Phase::kQueued;
  bool paused_ = false;
  bool kept_connection_ = false;  // the connection has been idle and may turn out to be dead
  bool retried_ = false;
  Ticket pending_;  // the one open call: a slot or a look-up
  InFlightLimit::Slot slot_;
  TimeoutList::Entry deadline_;
  std::vector<event::SocketAddress> candidates_;
  std::size_t attempts_ = 0;
  std::unique_ptr<UpstreamConnection> connection_;
  std::string address_;
  event::DestructionGuard lifeline_;
};

}  // namespace idem::forward

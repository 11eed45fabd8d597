// One request's way through the proxy, from its head to the last byte of its response. The
// functions in exchange.cc are in the order in which a request meets them.
//
//            head              body complete, signature     rate limit, key
//   kReceiving ────▶ (Route) ─────────────────▶ kLimiting ─────────────────▶ kClaiming
//                                                   │ no key                     │ claimed
//                                                   ▼                            │
//                                              kForwarding ◀─────────────────────┘
//                     streamed both ways: no claim  │  │  claimed, executed
//                                 ┌─────────────────┘  └────▶ kRecording ──▶ kAnswering ──▶
//                                 └──────▶ kAnswering ──▶ kFinished          kFinished
//
// key_claim.h draws the phases kClaiming and kRecording. A refusal goes from any phase to
// kAnswering. The outcome is recorded before it is answered. Every exchange ends in Finish(), which
// reports it once. The registry owns exchanges, not the client's connection: once the backend may
// have seen a request, its outcome is recorded even if the client has gone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/exchange/claim/buffered_response.h"
#include "proxy/exchange/claim/key_claim.h"
#include "proxy/exchange/claim/observation.h"
#include "proxy/exchange/exchange_context.h"
#include "proxy/exchange/limit_gate.h"
#include "proxy/exchange/phase.h"
#include "proxy/exchange/received_request.h"
#include "proxy/exchange/report_builder.h"
#include "proxy/exchange/response_sender.h"
#include "proxy/exchange/rules/problem_replies.h"
#include "proxy/exchange/site_snapshot.h"
#include "proxy/http/server_stream.h"
#include "proxy/idempotency/claim_ending.h"
#include "proxy/ports/upstream.h"

namespace idem::exchange {

class Exchange final : public http::ServerHandler,
                       public ports::UpstreamEvents,
                       public LimitGateEvents,
                       public KeyClaimEvents,
                       public Retirable {
 public:
  Exchange(const ExchangeContext& context, Retirement& retirement,
           std::shared_ptr<const SiteSnapshot> site, http::ServerStream& stream,
           http::RequestHead& head);

  /// One of the three Start functions is called right after the constructor.
  void Start();
  /// Refuses the request, because the process drains.
  void StartDraining();
  /// Answers a message that could not be parsed. It is logged and counted like any other request.
  void StartUnreadable(const http::ParseError& error);
  /// Ends the exchange as it is, because the process exits. The stream is not used any more.
  void Cut();
  /// The owner's index of this exchange, which Retirement::Retire() gets.
  void set_place(std::size_t place) { place_ = place; }

 private:
  void Enter(Phase to);

  // The client's side (http::ServerHandler).
  void OnBody(std::string_view bytes) override;
  void OnBodyEnd() override;
  void OnBodyError(const http::ParseError& error) override;
  void OnClientGone() override;
  void OnDrained() override;
  void RefuseBody(const Reply& reply);
  [[nodiscard]] bool sends_body() const;

  // Authenticate, limit (LimitGateEvents), key.
  void OnReceived();
  [[nodiscard]] bool Authenticate();
  void Limit();
  void OnWithinLimit() override { TakeKey(); }
  void OnLimitRefused(const Reply& reply, RequestDecision decision) override {
    Refuse(reply, decision);
  }
  void TakeKey();
  void Observe();

  // Claim (KeyClaimEvents).
  void Claim();
  void OnClaimed() override { Forward(); }
  void OnReplay(const idempotency::StoredResponse& response, RequestDecision decision) override;
  void OnClaimRefused(const Reply& reply, RequestDecision decision) override {
    Refuse(reply, decision);
  }
  void OnAbandoned() override { Finish(); }

  // Forward (UpstreamEvents).
  void Forward();
  bool OnUpstreamReady() override;
  void OnUpstreamInterim(const http::ResponseHead& head) override;
  void OnUpstreamHead(http::ResponseHead& head) override;
  void OnUpstreamBody(std::string_view bytes) override;
  void OnUpstreamEnd() override;
  void OnUpstreamFailure(const ports::UpstreamFailure& failure) override;
  void OnUpstreamSent() override;

  // Record (KeyClaimEvents).
  void Conclude(const idempotency::UpstreamResult& result);
  void ConcludeTooLarge();
  void OnEnded() override { AnswerOutcome(); }
  void OnUnrecorded() override;

  // Answer.
  void AnswerOutcome();
  void AnswerTooLarge();
  void Refuse(const Reply& reply, RequestDecision decision);
  void Answer(http::ResponseHead& head, std::string_view body);
  [[nodiscard]] RequestProgress progress() const;
  void BeginStreaming();
  void StreamBody(std::string_view bytes);
  void EndStreaming();
  [[nodiscard]] AppliedLimit applied_limit() const;
  [[nodiscard]] ResponseOrigin origin() const {
    return claim_ ? ResponseOrigin::kClaim : ResponseOrigin::kPassed;
  }
  [[nodiscard]] idempotency::UpstreamResult upstream_result() const;
  void Finish();
  void Close();
  void Leave();

  const ExchangeContext& context_;
  Retirement& retirement_;
  const std::shared_ptr<const SiteSnapshot> site_;
  std::size_t place_ = 0;
  Phase phase_ = Phase::kReceiving;
  ReportBuilder report_;
  ReceivedRequest request_;
  ResponseSender sender_;

  // The limit and the claim. The claim may count the limit in its first step.
  LimitGate limit_gate_;
  std::optional<KeyClaim> claim_;
  std::optional<Observation> observation_;

  // The upstream and its response.
  std::unique_ptr<ports::UpstreamCall> call_;
  http::RequestHead upstream_head_;
  BufferedResponse response_;
  std::optional<ports::UpstreamFailure> upstream_failure_;
  bool written_ = false;  // the request's first byte may be on its way to the upstream
  idempotency::ClaimEnding ending_ = idempotency::ClaimEnding::kRelease;
  std::shared_ptr<const idempotency::StoredResponse> stored_;  // with ClaimEnding::kRecord
};

}  // namespace idem::exchange

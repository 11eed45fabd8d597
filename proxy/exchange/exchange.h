// One request's way through the proxy, from its head to its last byte answered. Read exchange.cc
// from the top: its functions stand in the order in which a request meets them.
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
// What the store is asked for on the way, and who waits for whom, is key_claim.h. Every refusal
// goes to kAnswering from wherever it is made. The outcome is recorded before it is answered. Good
// or bad, all end in Finish(), which reports once. The registry owns exchanges and the client's
// connection does not: once the backend may have seen a request, its outcome is recorded even if
// the client has gone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/exchange/claim/buffered_response.h"
#include "proxy/exchange/claim/key_claim.h"
#include "proxy/exchange/claim/observation.h"
#include "proxy/exchange/exchange_context.h"
#include "proxy/exchange/phase.h"
#include "proxy/exchange/request_body.h"
#include "proxy/exchange/retirement.h"
#include "proxy/exchange/rules/problem_replies.h"
#include "proxy/exchange/site_snapshot.h"
#include "proxy/http/server_stream.h"
#include "proxy/idempotency/claim_ending.h"
#include "proxy/idempotency/key.h"
#include "proxy/ports/upstream.h"

namespace idem::exchange {

class Exchange final : public http::ServerHandler,
                       public ports::UpstreamEvents,
                       public KeyClaimEvents,
                       public Retirable {
 public:
  Exchange(const ExchangeContext& parts, Retirement& retirement,
           std::shared_ptr<const SiteSnapshot> site, http::ServerStream& stream,
           http::RequestHead& head);

  /// A request's head has come.
  void Start();
  /// Instead of Start(), while the process drains: the request is refused.
  void StartDraining();
  /// A message could not be read: answered, logged and counted like any other.
  void StartUnreadable(const http::ParseError& error);
  /// The process ends before the exchange does. Its client has gone, or nobody tells it any more.
  void Cut();
  /// Where the owner keeps it; given to Retirement.
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

  // Authenticate, limit, key.
  void OnReceived();
  [[nodiscard]] bool Authenticate();
  void Limit();
  [[nodiscard]] ports::LimitRequest MakeLimitQuestion();
  void OnCounted(Result<ports::LimitResult> verdict);
  void TakeKey();
  void Observe();

  // Claim (KeyClaimEvents).
  void Claim();
  [[nodiscard]] ProtectedRequest MakeProtected(const idempotency::Policy& policy) const;
  void OnClaimed() override { Forward(); }
  void OnReplay(const idempotency::StoredResponse& response, RequestDecision verdict) override;
  void OnClaimRefused(const Reply& reply, RequestDecision verdict) override {
    Refuse(reply, verdict);
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
  void Conclude(const idempotency::UpstreamResult& seen);
  void ConcludeTooLarge();
  void OnEnded() override { AnswerOutcome(); }
  void OnUnrecorded() override;

  // Answer.
  void AnswerOutcome();
  void Refuse(const Reply& reply, RequestDecision verdict);
  [[nodiscard]] RequestProgress progress() const;
  void BeginStreaming();
  void StreamBody(std::string_view bytes);
  void EndStreaming();
  void AddOwnFields(http::ResponseHead& head);
  void Answer(http::ResponseHead& head, std::string_view body);
  [[nodiscard]] idempotency::UpstreamResult seen_of_upstream() const;
  void Finish();
  void Close();
  void Leave();
  void ReportEnd();

  /// Adds the time since `since_` to a duration of the report, and starts anew.
  void Clock(Duration ports::RequestReport::*spent);

  const ExchangeContext& parts_;
  Retirement& retirement_;
  const std::shared_ptr<const SiteSnapshot> site_;
  http::ServerStream* stream_;  // null once the client has gone or has its whole answer
  std::size_t place_ = 0;
  Phase phase_ = Phase::kReceiving;

  // The request.
  http::RequestHead request_;
  RequestBody body_;
  std::string peer_address_;
  std::string request_id_;
  const Route* route_ = nullptr;
  const idempotency::Policy* policy_ = nullptr;    // of a request that a key protects
  const idempotency::Policy* observed_ = nullptr;  // of one that a key would protect
  idempotency::KeyResult key_;                     // where a policy asks for one

  // The limit, counted by itself; and the claim, with which it may be counted instead.
  Ticket question_;
  Ticket deadline_;
  std::optional<ports::LimitResult> limit_verdict_;
  std::optional<KeyClaim> claim_;
  std::optional<Observation> observation_;

  // The upstream and what it answered.
  std::unique_ptr<ports::UpstreamCall> call_;
  http::RequestHead upstream_head_;
  BufferedResponse response_;
  std::optional<ports::UpstreamFailure> upstream_failure_;
  bool written_ = false;    // the request's first byte may be on its way to the upstream
  bool streaming_ = false;  // the response's head has gone out; its body follows as it comes
  idempotency::ClaimEnding ending_ = idempotency::ClaimEnding::kRelease;
  std::shared_ptr<const idempotency::StoredResponse> stored_;  // with ClaimEnding::kRecord

  // What is told at the end.
  ports::RequestReport report_;
  std::string upstream_address_;
  BootTime began_at_;
  BootTime since_;
};

}  // namespace idem::exchange

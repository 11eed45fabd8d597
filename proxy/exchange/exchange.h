// One request's way through the proxy, from its head to its last byte answered. Read exchange.cc
// from the top: its functions stand in the order in which a request meets them.
//
//              head                body complete, signature, rate limit, key
//   kReceiving ────▶ (Route) ─────▶ kLimiting ─────▶ kClaiming ◀───────────┐
//                                       │              │  │  └─ held ──▶ kWaiting   (somebody else
//                                       executes) │ no key       │  └─ held, completed
//                                       ──────────────┐ replay ▼              ▼ claimed ▼
//                                  kForwarding ◀───────┘ ──▶ kRecording ──────────▶ kAnswering ──▶
//                                  kFinished
//                                       └─ no claim: streamed both ways ──────────────────┘
//
// Every refusal goes to kAnswering from wherever it is made. The outcome is recorded before it is
// answered. Good or bad, all end in Finish(), which reports once. The registry owns exchanges and
// the client's connection does not: once the backend may have seen a request, its outcome is
// recorded even if the client has gone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/loop.h"
#include "proxy/base/random.h"
#include "proxy/exchange/key_waiters.h"
#include "proxy/exchange/phase.h"
#include "proxy/exchange/protected_request.h"
#include "proxy/exchange/rate_limiter.h"
#include "proxy/exchange/record_store.h"
#include "proxy/exchange/replies.h"
#include "proxy/exchange/report.h"
#include "proxy/exchange/settler.h"
#include "proxy/exchange/site.h"
#include "proxy/exchange/upstream.h"
#include "proxy/http/stream.h"
#include "proxy/idempotency/decide.h"
#include "proxy/idempotency/key.h"
#include "proxy/idempotency/outcome.h"
#include "proxy/telemetry/metrics.h"

namespace idem::exchange {

class ExchangeRegistry;

/// What the exchanges of one worker use. All of it outlives them.
struct Parts {
  Loop& loop;
  Random& random;
  RecordStore& store;
  RateLimiter& limiter;
  Settler& settler;
  KeyWaiters& waiters;
  Unrecorded& unrecorded;
  telemetry::Metrics& metrics;
  Observer& observer;
};

class Exchange final : public http::ServerHandler,
                       public UpstreamEvents,
                       public KeyWaiter,
                       public Retirable {
 public:
  Exchange(const Parts& parts, ExchangeRegistry& registry, std::shared_ptr<const Site> site,
           http::ServerStream& stream, http::RequestHead& head);
  ~Exchange() override;

  /// A request's head has come.
  void Start();
  /// A message could not be read: answered, logged and counted like any other.
  void StartUnreadable(const http::ParseError& error);

  /// A claim of this exchange is executing or its outcome is being recorded: a drain waits for it.
  [[nodiscard]] bool holds_claim() const { return claimed_; }

 private:
  friend class ExchangeRegistry;

  void Enter(Phase to);

  // The client's side (http::ServerHandler).
  void OnBody(std::string_view bytes) override;
  void OnBodyEnd() override;
  void OnBodyError(const http::ParseError& error) override;
  void OnClientGone() override;
  void OnDrained() override;

  // Route, authenticate, limit, key.
  void Admit();
  [[nodiscard]] bool idempotent() const;
  [[nodiscard]] bool buffers_body() const;
  void RefuseBody(const Reply& reply);
  [[nodiscard]] bool sends_body() const;
  void SendReadAhead();
  void OnReceived();
  [[nodiscard]] bool Authenticate();
  void Limit();
  [[nodiscard]] LimitQuestion MakeLimitQuestion();
  void OnCounted(Result<LimitVerdict> verdict);
  void TakeKey();

  // Claim.
  void Claim();
  [[nodiscard]] ProtectedRequest protected_request() const;
  void AskBegin(std::optional<idempotency::Token> replaces, std::optional<LimitQuestion> limit);
  void OnBegun(Result<BeginAnswer> answer);
  void SetClaimed(bool claimed);
  void OnStoreSilent();
  void WithdrawClaim();
  void OnClaimed();
  void OnHeld(const idempotency::Record& record, StoreTime now);
  void Wait();
  void OnWoken() override;

  // Forward (UpstreamEvents).
  void Forward();
  [[nodiscard]] bool lease_covers_the_rest() const;
  bool OnUpstreamReady() override;
  void OnUpstreamInterim(const http::ResponseHead& head) override;
  void OnUpstreamHead(http::ResponseHead& head) override;
  void OnUpstreamBody(std::string_view bytes) override;
  void OnUpstreamEnd() override;
  void OnUpstreamFailure(const UpstreamFailure& failure) override;
  void OnUpstreamSent() override;

  // Record.
  void Conclude(const idempotency::Seen& seen);
  void Settle(idempotency::Ending ending);
  void OnSettled(const SettleAnswer& answer);
  void OnRecordTimeout();

  // Answer.
  void AnswerOutcome();
  void AnswerReplay(const idempotency::Record& record);
  void Refuse(const Reply& reply, Verdict verdict);
  [[nodiscard]] http::ResponseHead MakeClientHead() const;
  void BeginStreaming();
  void StreamBody(std::string_view bytes);
  void EndStreaming();
  void AddOwnFields(http::ResponseHead& head);
  void Answer(http::ResponseHead& head, std::string_view body);
  void Finish();

  /// Adds the time since `since_` to a duration of the report, and starts anew.
  void Clock(Duration Report::*spent);

  const Parts& parts_;
  ExchangeRegistry& registry_;
  const std::shared_ptr<const Site> site_;
  http::ServerStream* stream_;  // null once the client has gone or has its whole answer
  std::size_t registry_index_ = 0;
  Phase phase_ = Phase::kReceiving;

  // The request.
  http::RequestHead request_;
  std::string request_body_;
  std::uint64_t body_bytes_ = 0;  // received so far, kept or streamed
  bool body_ended_ = false;
  std::string peer_address_;
  std::string request_id_;
  const Route* route_ = nullptr;
  const idempotency::Policy* policy_ = nullptr;  // of a request that a key protects

  // The claim.
  std::string key_;
  std::string record_key_;
  idempotency::Claim claim_;
  bool claimed_ = false;  // the store holds our claim, and how it ended has not been handed to it
  BootTime
      begin_asked_at_{};  // from which the lease is counted here: the store began it no earlier
  std::optional<LimitVerdict> limit_verdict_;
  KeyWaiters::Place place_;
  Duration next_poll_{};

  // One open question and a deadline beside it.
  Ticket question_;
  Ticket deadline_;
  Ticket wait_deadline_;

  // The upstream and what it answered.
  std::unique_ptr<UpstreamCall> call_;
  http::RequestHead upstream_head_;
  http::ResponseHead response_;
  std::string response_body_;
  std::optional<UpstreamFailure> upstream_failure_;
  bool response_complete_ = false;
  bool too_large_to_keep_ = false;
  bool streaming_ = false;  // the response's head has gone out; its body follows as it comes
  idempotency::Ending ending_ = idempotency::Ending::kRelease;
  std::shared_ptr<const idempotency::StoredResponse> stored_;

  // What is told at the end.
  Report report_;
  std::string upstream_address_;
  BootTime began_at_;
  BootTime since_;
};

}  // namespace idem::exchange

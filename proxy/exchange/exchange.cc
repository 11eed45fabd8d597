#include "proxy/exchange/exchange.h"

#include <utility>

#include "proxy/base/log.h"
#include "proxy/exchange/claim/store_metrics.h"
#include "proxy/exchange/rules/admission.h"
#include "proxy/exchange/rules/caller_identity.h"
#include "proxy/exchange/rules/forwarded_head.h"

namespace idem::exchange {

using idempotency::ClaimEnding;
using idempotency::UpstreamResult;

namespace {

constexpr std::size_t kUnsentMax = 64 * 1024;  // beyond it the faster side is paused

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

Exchange::Exchange(const ExchangeContext& parts, Retirement& retirement,
                   std::shared_ptr<const SiteSnapshot> site, http::ServerStream& stream,
                   http::RequestHead& head)
    : parts_(parts), retirement_(retirement), site_(std::move(site)), stream_(&stream) {
  std::swap(request_, head);
  began_at_ = since_ = parts_.loop.Now();
  peer_address_ = stream.peer().address;
  request_id_ = ChooseRequestId(request_.fields, parts_.random);
  report_.address = ClientAddress(peer_address_, request_.fields, site_->trusted_proxies);
  report_.protocol = request_.version;
  report_.request_id = request_id_;
}

void Exchange::Enter(Phase to) {
  INVARIANT(MayFollow(phase_, to));
  phase_ = to;
}

void Exchange::Clock(Duration ports::RequestReport::*spent) {
  const BootTime now = parts_.loop.Now();
  report_.*spent += now - since_;
  since_ = now;
}

// ---- Route --------------------------------------------------------------------------------------

void Exchange::StartUnreadable(const http::ParseError& error) {
  stream_->CloseAfter();
  Refuse(Unreadable(error.status, error.name, error.detail), RequestDecision::kRefused);
}

void Exchange::StartDraining() {
  stream_->CloseAfter();
  Refuse(Draining(), RequestDecision::kRefused);
}

void Exchange::Start() {
  const auto chosen = ChooseRoute(site_->router, request_);
  if (const auto* refusal = std::get_if<Reply>(&chosen)) {
    if (EndIsInDoubt(request_)) stream_->CloseAfter();
    return Refuse(*refusal, RequestDecision::kRefused);
  }
  route_ = std::get<const Route*>(chosen);
  policy_ = PolicyFor(*route_, request_.method);
  const bool observes = policy_ != nullptr && policy_->mode == idempotency::Mode::kObserve;
  if (observes) observed_ = std::exchange(policy_, nullptr);
  // A signature over the body and a fingerprint need it whole before anything is forwarded.
  const bool whole = policy_ != nullptr || route_->authenticate;
  const auto ahead = whole      ? RequestBody::kAll
                     : observes ? RequestBody::kHeldMax
                                : RequestBody::kReadAhead;
  if (!body_.Expect(request_.body, route_->max_body, ahead)) return RefuseBody(BodyTooLarge());
  stream_->LimitBody(route_->max_body);
  if (body_.ended()) return OnReceived();
  stream_->ResumeBody();
}

void Exchange::OnBody(std::string_view bytes) {
  if (phase_ == Phase::kFinished) return;
  if (!body_.Count(bytes)) return RefuseBody(BodyTooLarge());
  if (sends_body()) {
    body_.Stream(bytes, *call_);
    if (call_->unsent_bytes() > kUnsentMax) stream_->PauseBody();
    return;
  }
  body_.Keep(bytes);
  if (phase_ != Phase::kReceiving || !body_.enough()) return;
  stream_->PauseBody();
  OnReceived();
}

void Exchange::OnBodyEnd() {
  if (phase_ == Phase::kFinished) return;
  body_.End();
  if (phase_ == Phase::kReceiving) return OnReceived();
  if (!sends_body()) return;
  body_.Stream("", *call_);
  call_->EndBody();
}

void Exchange::OnBodyError(const http::ParseError& error) {
  if (phase_ == Phase::kFinished) return;
  RefuseBody(Unreadable(error.status, error.name, error.detail));
}

// A body that cannot go on. What was sent of it ends with a cut, so that the backend never takes it
// for whole.
void Exchange::RefuseBody(const Reply& reply) {
  call_.reset();
  stream_->CloseAfter();
  if (!streaming_) return Refuse(reply, RequestDecision::kRefused);
  stream_->Abort();
  Finish();
}

bool Exchange::sends_body() const {
  return call_ != nullptr && (phase_ == Phase::kForwarding || streaming_);
}

void Exchange::OnClientGone() {
  stream_ = nullptr;
  switch (phase_) {
    case Phase::kClaiming:
    case Phase::kRecording:
      if (!claim_->Abandon()) return;
      break;
    case Phase::kForwarding:
      if (claim_) return;
      break;
    case Phase::kFinished:
      return;
    default:
      break;
  }
  Finish();
}

void Exchange::OnDrained() {
  if (streaming_ && call_) call_->ResumeResponse();
}

// ---- Authenticate, limit, key -------------------------------------------------------------------

void Exchange::OnReceived() {
  if (!Authenticate()) return;
  const idempotency::Policy* asks = policy_ != nullptr ? policy_ : observed_;
  if (asks != nullptr) key_ = idempotency::ReadKey(request_.fields, asks->header);
  Limit();
}

bool Exchange::Authenticate() {
  if (!route_->authenticate) return true;
  since_ = parts_.loop.Now();
  const auto client = IdentifyClient(*route_, site_->clients, stream_->peer().tls_subject, request_,
                                     body_.kept(), std::chrono::system_clock::now());
  Clock(&ports::RequestReport::auth);
  if (const auto* refusal = std::get_if<Reply>(&client)) {
    Refuse(*refusal, RequestDecision::kRefused);
    return false;
  }
  report_.client = std::get<std::string_view>(client);
  return true;
}

// Where the store can do both, the limit is counted in the step that begins the claim; a request
// that will not reach that step is counted by itself.
void Exchange::Limit() {
  if (!route_->rate_limit) return TakeKey();
  const bool begins = policy_ != nullptr && std::holds_alternative<std::string>(key_);
  if (begins && parts_.store.limits_with_begin()) return TakeKey();
  Enter(Phase::kLimiting);
  since_ = parts_.loop.Now();
  question_ = parts_.limiter.Count(MakeLimitQuestion(), [this](Result<ports::LimitResult> verdict) {
    OnCounted(std::move(verdict));
  });
  deadline_ = parts_.loop.After(site_->options.store_timeout, [this] {
    question_.Withdraw();
    OnCounted(Error{ErrorCode::kTimeout, "the store did not answer in time", Delivery::kNotSent});
  });
}

ports::LimitRequest Exchange::MakeLimitQuestion() {
  return AskLimit(*route_, report_.address, report_.client, request_.fields, parts_.random);
}

void Exchange::OnCounted(Result<ports::LimitResult> verdict) {
  deadline_.Withdraw();
  Clock(&ports::RequestReport::limit);
  CountLimit(parts_.metrics, verdict);
  if (!verdict) {
    if (!route_->rate_limit->allow_on_store_error) {
      return Refuse(StoreUnavailable(), RequestDecision::kFailed);
    }
    return TakeKey();
  }
  limit_verdict_ = *verdict;
  if (!verdict->allowed) return Refuse(RateLimited(verdict->reset), RequestDecision::kRefused);
  TakeKey();
}

void Exchange::TakeKey() {
  if (observed_ != nullptr) {
    Forward();
    return Observe();
  }
  if (policy_ == nullptr) return Forward();
  if (const auto* invalid = std::get_if<idempotency::KeyInvalid>(&key_)) {
    return Refuse(KeyInvalid(invalid->reason), RequestDecision::kRefused);
  }
  if (std::holds_alternative<std::string>(key_)) return Claim();
  if (policy_->required) return Refuse(KeyMissing(policy_->header), RequestDecision::kRefused);
  policy_ = nullptr;
  Forward();
}

// Beside the request, which is on its way already: whatever comes of it, nobody waits for it.
void Exchange::Observe() {
  observation_.emplace(parts_, site_->options, MakeProtected(*observed_), [this] { Leave(); });
  observation_->Start(key_, body_.ended());
}

// ---- Claim --------------------------------------------------------------------------------------

void Exchange::Claim() {
  claim_.emplace(parts_, site_->options, *site_->upstreams[route_->upstream],
                 MakeProtected(*policy_), *this);
  if (!claim_->may_begin()) return Refuse(StoreUnavailable(), RequestDecision::kFailed);
  const bool counted = phase_ == Phase::kLimiting;
  std::optional<ports::LimitRequest> limit;
  if (route_->rate_limit && !counted) limit = MakeLimitQuestion();
  Enter(Phase::kClaiming);
  claim_->Take(std::move(limit));
}

ProtectedRequest Exchange::MakeProtected(const idempotency::Policy& policy) const {
  const auto* key = std::get_if<std::string>(&key_);
  return {.policy = &policy,
          .route = route_->name,
          .client = report_.client,
          .key = key != nullptr ? std::string_view(*key) : std::string_view(),
          .request_id = request_id_,
          .head = &request_,
          .body = body_.kept()};
}

void Exchange::OnReplay(const idempotency::StoredResponse& response, RequestDecision verdict) {
  if (stream_ == nullptr) return Finish();
  report_.verdict = verdict;
  http::ResponseHead head;
  RenderReplay(response, head);
  Answer(head, response.body);
}

// ---- Forward ------------------------------------------------------------------------------------

void Exchange::Forward() {
  Enter(Phase::kForwarding);
  const bool claimed = claim_.has_value();
  const http::Peer peer = stream_->peer();
  BuildUpstreamHead({.received = &request_,
                     .peer = &peer,
                     .peer_trusted = IsTrusted(peer_address_, site_->trusted_proxies),
                     .request_id = request_id_,
                     .client_id = report_.client,
                     .key_header = claimed ? std::string_view(policy_->header) : "",
                     .key = claimed ? std::string_view(std::get<std::string>(key_)) : "",
                     .identity_encoding = claimed},
                    upstream_head_);
  const bool whole = body_.ended();
  upstream_head_.body = whole ? WholeBodyLength(request_, body_.kept().size()) : request_.body;
  since_ = parts_.loop.Now();
  const bool safe = request_.method == "GET" || request_.method == "HEAD";
  call_ =
      site_->upstreams[route_->upstream]->Send(upstream_head_, whole ? &body_.kept() : nullptr,
                                               {.claim = claimed && !policy_->upstream_idempotent,
                                                .retry_stale = safe && !claimed,
                                                .streamed = !claimed},
                                               *this);
}

bool Exchange::OnUpstreamReady() {
  if (claim_ && !claim_->lease_covers_the_rest()) {
    upstream_failure_ =
        ports::UpstreamFailure{ports::UpstreamProblem::kAbandoned, Delivery::kNotSent, {}};
    Conclude(UpstreamResult::Failure(Delivery::kNotSent));
    return false;
  }
  written_ = true;
  if (!body_.ended()) stream_->ResumeBody();
  return true;
}

// No part of the outcome (RFC 9110, section 15.2): it is passed on and not recorded.
void Exchange::OnUpstreamInterim(const http::ResponseHead& head) {
  if (stream_ == nullptr) return;
  stream_->SendInterim(
      HeadForClient(head, claim_ ? ResponseOrigin::kClaim : ResponseOrigin::kPassed));
}

void Exchange::OnUpstreamHead(http::ResponseHead& head) {
  report_.upstream_status = head.status;
  if (!claim_) {
    std::swap(response_.head, head);
    return BeginStreaming();
  }
  if (!response_.TakeHead(head, policy_->max_recorded_body)) ConcludeTooLarge();
}

void Exchange::OnUpstreamBody(std::string_view bytes) {
  if (streaming_) return StreamBody(bytes);
  const bool fits = response_.TakeBody(bytes, policy_->max_recorded_body);
  if (phase_ == Phase::kForwarding && !fits) ConcludeTooLarge();
}

void Exchange::OnUpstreamEnd() {
  const bool is_whole = response_.TakeEnd(call_->announces_close());
  if (streaming_) return EndStreaming();
  response_.complete = is_whole || response_.too_large;  // no more of it comes
  if (phase_ != Phase::kForwarding) return;
  if (is_whole) return Conclude(UpstreamResult::Response(response_.head.status));
  OnUpstreamFailure({ports::UpstreamProblem::kReset, Delivery::kMaybeSent,
                     "the answer's body ended with its connection, which a backend that dies does "
                     "too: it needs a Content-Length or chunks"});
}

void Exchange::OnUpstreamFailure(const ports::UpstreamFailure& failure) {
  upstream_failure_ = failure;
  log::WriteLimited(
      log::Level::kWarn, "upstream_failed",
      {{"request_id", request_id_}, {"route", route_->name}, {"reason", failure.detail}});
  if (streaming_) {
    if (stream_ != nullptr) stream_->Abort();
    return Finish();
  }
  // A large response was cut while its record was written: AnswerOutcome() tells.
  if (phase_ != Phase::kForwarding) return;
  if (claim_) return Conclude(UpstreamResult::Failure(failure.delivery));
  Clock(&ports::RequestReport::upstream);
  Refuse(UpstreamFailed(failure.problem), RequestDecision::kFailed);
}

void Exchange::OnUpstreamSent() {
  if (stream_ != nullptr && !body_.ended()) stream_->ResumeBody();
}

// ---- Record -------------------------------------------------------------------------------------

void Exchange::Conclude(const UpstreamResult& seen) {
  Clock(&ports::RequestReport::upstream);
  ending_ = idempotency::DecideOutcome(*policy_, seen);
  if (ending_ == ClaimEnding::kRecord) stored_ = response_.MoveToStored(policy_->replay_drop);
  Enter(Phase::kRecording);
  claim_->End(ending_, stored_);
}

// Recorded without its body first; the rest of it waits, and is then streamed.
void Exchange::ConcludeTooLarge() {
  call_->PauseResponse();
  Conclude(UpstreamResult::Response(response_.head.status));
}

// The caller gets the true response, marked.
void Exchange::OnUnrecorded() {
  report_.unrecorded = true;
  AnswerOutcome();
}

// ---- Answer -------------------------------------------------------------------------------------

void Exchange::AnswerOutcome() {
  if (stream_ == nullptr) return Finish();
  const bool responded = response_.complete || response_.too_large;
  if (!responded && ending_ == ClaimEnding::kUnknown) {
    return Refuse(UpstreamFailedUnknown(upstream_failure_->problem, claim_->look_up_in()),
                  RequestDecision::kUnknown);
  }
  if (!responded)
    return Refuse(UpstreamFailed(upstream_failure_->problem), RequestDecision::kFailed);
  report_.verdict =
      ending_ == ClaimEnding::kUnknown ? RequestDecision::kUnknown : RequestDecision::kExecuted;
  if (response_.too_large) {
    BeginStreaming();
    StreamBody(response_.body);
    if (response_.complete) return EndStreaming();
    if (upstream_failure_) {
      stream_->Abort();
      return Finish();
    }
    return call_->ResumeResponse();
  }
  http::ResponseHead head = HeadForClient(response_.head, ResponseOrigin::kClaim);
  Answer(head, stored_ ? stored_->body : response_.body);
}

void Exchange::Refuse(const Reply& reply, RequestDecision verdict) {
  report_.verdict = verdict;
  report_.problem = reply.name;
  if (stream_ == nullptr) return Finish();
  http::ResponseHead head;
  std::string body;
  Render(WithProgress(reply, progress()), request_id_, head, body);
  Answer(head, body);
}

// A backend that drops duplicates does so by a key, which a request without one does not have.
RequestProgress Exchange::progress() const {
  const idempotency::Policy* policy = policy_ != nullptr ? policy_ : observed_;
  const bool has_key = std::holds_alternative<std::string>(key_);
  return {
      .written = upstream_failure_ ? upstream_failure_->delivery != Delivery::kNotSent : written_,
      .method = request_.method,
      .upstream_idempotent = policy != nullptr && policy->upstream_idempotent && has_key};
}

// Reported before it is sent: what a caller has been answered is in the counters.
void Exchange::Answer(http::ResponseHead& head, std::string_view body) {
  Enter(Phase::kAnswering);
  AddOwnFields(head);
  const std::string_view sent = FrameWhole(request_.method, body, head);
  report_.status = head.status;
  report_.bytes_out = sent.size();
  http::ServerStream& stream = *std::exchange(stream_, nullptr);
  Finish();
  stream.SendHead(head);
  if (!sent.empty()) stream.SendBody(sent);
  stream.End();
}

void Exchange::AddOwnFields(http::ResponseHead& head) {
  const auto& verdict = !limit_verdict_ && claim_ ? claim_->limit_verdict() : limit_verdict_;
  if (verdict) AddLimitFields(route_->rate_limit->rule, *verdict, head.fields);
  head.fields.Set("X-Request-Id", request_id_);
  if (report_.unrecorded) head.fields.Add("Idempotency-Status", "unrecorded");
}

void Exchange::BeginStreaming() {
  if (!policy_) {
    Clock(&ports::RequestReport::upstream);
    report_.verdict = RequestDecision::kPassed;
  }
  Enter(Phase::kAnswering);
  streaming_ = true;
  http::ResponseHead head =
      HeadForClient(response_.head, claim_ ? ResponseOrigin::kClaim : ResponseOrigin::kPassed);
  AddOwnFields(head);
  head.body = StreamedLength(request_.method, response_.head);
  report_.status = head.status;
  stream_->SendHead(head);
}

void Exchange::StreamBody(std::string_view bytes) {
  if (stream_ == nullptr || bytes.empty()) return;
  report_.bytes_out += bytes.size();
  stream_->SendBody(bytes);
  if (stream_->unsent_bytes() > kUnsentMax && call_) call_->PauseResponse();
}

void Exchange::EndStreaming() {
  auto* const stream = std::exchange(stream_, nullptr);
  Finish();
  if (stream != nullptr) stream->End();
}

void Exchange::Finish() {
  Close();
  if (!observation_ || observation_->over()) Leave();
}

// The process leaves. What the claim has made of its effect is not known to anybody then.
void Exchange::Cut() {
  if (phase_ != Phase::kFinished) {
    if (claim_ && claim_->Cut()) report_.verdict = RequestDecision::kUnknown;
    Close();
  }
  Leave();
}

void Exchange::Close() {
  Enter(Phase::kFinished);
  question_.Withdraw();
  deadline_.Withdraw();
  stream_ = nullptr;
  if (claim_) claim_->Close();
  if (observation_) observation_->End(seen_of_upstream());
  if (call_) upstream_address_ = call_->address();
  call_.reset();  // it would tell us more until the destructor runs, on a later turn
  report_.total = parts_.loop.Now() - began_at_;
}

// What a request on its way through showed, whole or cut.
UpstreamResult Exchange::seen_of_upstream() const {
  if (response_.complete) return UpstreamResult::Response(response_.head.status);
  if (upstream_failure_) return UpstreamResult::Failure(upstream_failure_->delivery);
  return UpstreamResult::Failure(call_ ? Delivery::kMaybeSent : Delivery::kNotSent);
}

void Exchange::Leave() {
  ReportEnd();
  retirement_.Retire(place_);
}

void Exchange::ReportEnd() {
  if (route_ != nullptr) report_.route = route_->name;
  report_.method = request_.method;
  report_.path = PathOf(request_.target);
  report_.upstream_address = upstream_address_;
  report_.bytes_in = body_.received();
  if (claim_) claim_->Describe(report_);
  if (observation_) observation_->Describe(report_);
  parts_.sink.OnFinished(report_);
}

}  // namespace idem::exchange

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

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

}  // namespace

Exchange::Exchange(const ExchangeContext& context, Retirement& retirement,
                   std::shared_ptr<const SiteSnapshot> site, http::ServerStream& stream,
                   http::RequestHead& head)
    : context_(context),
      retirement_(retirement),
      site_(std::move(site)),
      report_(context.loop),
      sender_(stream, report_),
      limit_gate_(context, report_, *this) {
  std::swap(request_, head);
  peer_address_ = stream.peer().address;
  request_id_ = ChooseRequestId(request_.fields, context_.random);
  report_->request_id = request_id_;
  report_->address = ClientAddress(peer_address_, request_.fields, site_->trusted_proxies);
  report_->protocol = request_.version;
  report_->method = request_.method;
  report_->path = PathOf(request_.target);
}

void Exchange::Enter(Phase to) {
  INVARIANT(MayFollow(phase_, to));
  phase_ = to;
}

// ---- Route --------------------------------------------------------------------------------------

void Exchange::StartUnreadable(const http::ParseError& error) {
  sender_.stream()->CloseAfter();
  Refuse(Unreadable(error.status, error.name, error.detail), RequestDecision::kRefused);
}

void Exchange::StartDraining() {
  sender_.stream()->CloseAfter();
  Refuse(Draining(), RequestDecision::kRefused);
}

void Exchange::Start() {
  const auto chosen = ChooseRoute(site_->router, request_);
  if (const auto* refusal = std::get_if<Reply>(&chosen)) {
    if (EndIsInDoubt(request_)) sender_.stream()->CloseAfter();
    return Refuse(*refusal, RequestDecision::kRefused);
  }
  route_ = std::get<const Route*>(chosen);
  report_->route = route_->name;
  policy_ = PolicyFor(*route_, request_.method);
  const bool observes = policy_ != nullptr && policy_->mode == idempotency::Mode::kObserve;
  if (observes) observed_ = std::exchange(policy_, nullptr);
  // A signature and a fingerprint need the whole body before anything is forwarded.
  const bool whole = policy_ != nullptr || route_->authenticate;
  const auto ahead = whole      ? RequestBody::kAll
                     : observes ? RequestBody::kHeldMax
                                : RequestBody::kReadAhead;
  if (!body_.Expect(request_.body, route_->max_body, ahead)) return RefuseBody(BodyTooLarge());
  sender_.stream()->LimitBody(route_->max_body);
  if (body_.ended()) return OnReceived();
  sender_.stream()->ResumeBody();
}

void Exchange::OnBody(std::string_view bytes) {
  if (phase_ == Phase::kFinished) return;
  if (!body_.Count(bytes)) return RefuseBody(BodyTooLarge());
  if (sends_body()) {
    body_.Stream(bytes, *call_);
    if (call_->unsent_bytes() > kUnsentMax) sender_.stream()->PauseBody();
    return;
  }
  body_.Keep(bytes);
  if (phase_ != Phase::kReceiving || !body_.enough()) return;
  sender_.stream()->PauseBody();
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

// The rest of the body will not come. The upstream connection is cut, so that the backend never
// takes the sent part for the whole.
void Exchange::RefuseBody(const Reply& reply) {
  call_.reset();
  sender_.stream()->CloseAfter();
  if (!sender_.streaming()) return Refuse(reply, RequestDecision::kRefused);
  sender_.stream()->Abort();
  Finish();
}

bool Exchange::sends_body() const {
  return call_ != nullptr && (phase_ == Phase::kForwarding || sender_.streaming());
}

void Exchange::OnClientGone() {
  (void)sender_.TakeStream();
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
  if (sender_.streaming() && call_) call_->ResumeResponse();
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
  report_.StartStep();
  auto client = IdentifyClient(*route_, site_->clients, sender_.stream()->peer().tls_subject,
                               request_, body_.kept(), std::chrono::system_clock::now());
  report_.AddElapsed(&ports::RequestReport::auth);
  if (const auto* refusal = std::get_if<Reply>(&client)) {
    Refuse(*refusal, RequestDecision::kRefused);
    return false;
  }
  client_id_ = std::get<std::string>(std::move(client));
  report_->client = client_id_;
  return true;
}

// The step that begins a claim also counts the limit. A request that will not reach that step is
// counted here.
void Exchange::Limit() {
  if (!route_->rate_limit) return TakeKey();
  const bool begins = policy_ != nullptr && std::holds_alternative<std::string>(key_);
  if (begins) return TakeKey();
  Enter(Phase::kLimiting);
  limit_gate_.Count(*route_, request_.fields, site_->options.store_timeout);
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

// Runs beside the request, which has been forwarded already. Nothing waits for its result.
void Exchange::Observe() {
  observation_.emplace(context_, site_->options, MakeProtected(*observed_), [this] { Leave(); });
  observation_->Start(key_, body_.ended());
}

// ---- Claim --------------------------------------------------------------------------------------

void Exchange::Claim() {
  claim_.emplace(context_, site_->options, *site_->upstreams[route_->upstream],
                 MakeProtected(*policy_), *this);
  if (!claim_->may_begin()) return Refuse(StoreUnavailable(), RequestDecision::kFailed);
  const bool counted = phase_ == Phase::kLimiting;
  std::optional<ports::LimitRequest> limit;
  if (route_->rate_limit && !counted) {
    limit = limit_gate_.MakeLimitRequest(*route_, request_.fields);
  }
  Enter(Phase::kClaiming);
  claim_->Take(std::move(limit));
}

ProtectedRequest Exchange::MakeProtected(const idempotency::Policy& policy) const {
  const auto* key = std::get_if<std::string>(&key_);
  return {.policy = &policy,
          .route = route_->name,
          .client = report_->client,
          .key = key != nullptr ? std::string_view(*key) : std::string_view(),
          .request_id = request_id_,
          .head = &request_,
          .body = body_.kept()};
}

void Exchange::OnReplay(const idempotency::StoredResponse& response, RequestDecision decision) {
  if (sender_.stream() == nullptr) return Finish();
  report_->verdict = decision;
  http::ResponseHead head;
  RenderReplay(response, head);
  Answer(head, response.body);
}

// ---- Forward ------------------------------------------------------------------------------------

void Exchange::Forward() {
  Enter(Phase::kForwarding);
  const bool claimed = claim_.has_value();
  const http::Peer peer = sender_.stream()->peer();
  BuildUpstreamHead({.received = &request_,
                     .peer = &peer,
                     .peer_trusted = IsTrusted(peer_address_, site_->trusted_proxies),
                     .request_id = request_id_,
                     .client_id = report_->client,
                     .key_header = claimed ? std::string_view(policy_->header) : "",
                     .key = claimed ? std::string_view(std::get<std::string>(key_)) : "",
                     .identity_encoding = claimed},
                    upstream_head_);
  const bool whole = body_.ended();
  upstream_head_.body = whole ? WholeBodyLength(request_, body_.kept().size()) : request_.body;
  report_.StartStep();
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
  if (!body_.ended()) sender_.stream()->ResumeBody();
  return true;
}

// An interim response is no part of the outcome (RFC 9110, section 15.2): it is passed on and not
// recorded.
void Exchange::OnUpstreamInterim(const http::ResponseHead& head) {
  if (sender_.stream() != nullptr) sender_.stream()->SendInterim(HeadForClient(head, origin()));
}

void Exchange::OnUpstreamHead(http::ResponseHead& head) {
  report_->upstream_status = head.status;
  if (!claim_) {
    std::swap(response_.head, head);
    return BeginStreaming();
  }
  if (!response_.TakeHead(head, policy_->max_recorded_body)) ConcludeTooLarge();
}

void Exchange::OnUpstreamBody(std::string_view bytes) {
  if (sender_.streaming()) return StreamBody(bytes);
  const bool fits = response_.TakeBody(bytes, policy_->max_recorded_body);
  if (phase_ == Phase::kForwarding && !fits) ConcludeTooLarge();
}

void Exchange::OnUpstreamEnd() {
  response_.complete = true;
  if (sender_.streaming()) return EndStreaming();
  if (phase_ == Phase::kForwarding) Conclude(UpstreamResult::Response(response_.head.status));
}

void Exchange::OnUpstreamFailure(const ports::UpstreamFailure& failure) {
  upstream_failure_ = failure;
  log::WriteLimited(
      log::Level::kWarn, "upstream_failed",
      {{"request_id", request_id_}, {"route", route_->name}, {"reason", failure.detail}});
  if (sender_.streaming()) {
    if (sender_.stream() != nullptr) sender_.stream()->Abort();
    return Finish();
  }
  // A response that was too large was cut while its record was written: AnswerOutcome() handles it.
  if (phase_ != Phase::kForwarding) return;
  if (claim_) return Conclude(UpstreamResult::Failure(failure.delivery));
  report_.AddElapsed(&ports::RequestReport::upstream);
  Refuse(UpstreamFailed(failure.problem), RequestDecision::kFailed);
}

void Exchange::OnUpstreamSent() {
  if (sender_.stream() != nullptr && !body_.ended()) sender_.stream()->ResumeBody();
}

// ---- Record -------------------------------------------------------------------------------------

void Exchange::Conclude(const UpstreamResult& seen) {
  report_.AddElapsed(&ports::RequestReport::upstream);
  ending_ = idempotency::DecideEnding(*policy_, seen);
  if (ending_ == ClaimEnding::kRecord) stored_ = response_.MoveToStored(policy_->replay_drop);
  Enter(Phase::kRecording);
  claim_->End(ending_, stored_);
}

// Records the response without its body. The rest of the body waits in the upstream connection and
// is streamed afterwards.
void Exchange::ConcludeTooLarge() {
  call_->PauseResponse();
  Conclude(UpstreamResult::Response(response_.head.status));
}

// The caller gets the true response, with a field that marks it.
void Exchange::OnUnrecorded() {
  report_->unrecorded = true;
  AnswerOutcome();
}

// ---- Answer -------------------------------------------------------------------------------------

void Exchange::AnswerOutcome() {
  if (sender_.stream() == nullptr) return Finish();
  const bool responded = response_.complete || response_.too_large;
  if (!responded && ending_ == ClaimEnding::kUnknown) {
    return Refuse(UpstreamFailedUnknown(upstream_failure_->problem, claim_->look_up_in()),
                  RequestDecision::kUnknown);
  }
  if (!responded) {
    return Refuse(UpstreamFailed(upstream_failure_->problem), RequestDecision::kFailed);
  }
  report_->verdict =
      ending_ == ClaimEnding::kUnknown ? RequestDecision::kUnknown : RequestDecision::kExecuted;
  if (response_.too_large) return AnswerTooLarge();
  http::ResponseHead head = HeadForClient(response_.head, origin());
  Answer(head, stored_ ? stored_->body : response_.body);
}

void Exchange::AnswerTooLarge() {
  BeginStreaming();
  StreamBody(response_.body);
  if (response_.complete) return EndStreaming();
  if (!upstream_failure_) return call_->ResumeResponse();
  sender_.stream()->Abort();
  Finish();
}

void Exchange::Refuse(const Reply& reply, RequestDecision decision) {
  report_->verdict = decision;
  report_->problem = reply.name;
  if (sender_.stream() == nullptr) return Finish();
  http::ResponseHead head;
  std::string body;
  Render(reply, request_id_, head, body);
  Answer(head, body);
}

// Reports before it sends: the counters include every response that a caller has seen.
void Exchange::Answer(http::ResponseHead& head, std::string_view body) {
  Enter(Phase::kAnswering);
  const FramedResponse response = sender_.Frame(head, body, applied_limit());
  Finish();
  response.Send();
}

void Exchange::BeginStreaming() {
  if (!policy_) {
    report_.AddElapsed(&ports::RequestReport::upstream);
    report_->verdict = RequestDecision::kPassed;
  }
  Enter(Phase::kAnswering);
  sender_.BeginStreaming(response_.head, origin(), applied_limit());
}

void Exchange::StreamBody(std::string_view bytes) {
  if (!sender_.StreamBody(bytes) && call_) call_->PauseResponse();
}

void Exchange::EndStreaming() {
  auto* const stream = sender_.TakeStream();
  Finish();
  if (stream != nullptr) stream->End();
}

AppliedLimit Exchange::applied_limit() const {
  const bool with_claim = !limit_gate_.result() && claim_;
  const auto& result = with_claim ? claim_->limit_verdict() : limit_gate_.result();
  if (!result) return {};
  return {.rule = &route_->rate_limit->rule, .result = &*result};
}

void Exchange::Finish() {
  Close();
  if (!observation_ || observation_->over()) Leave();
}

// The process exits. The outcome of a claim that was executing is unknown then.
void Exchange::Cut() {
  if (phase_ != Phase::kFinished) {
    if (claim_ && claim_->Cut()) report_->verdict = RequestDecision::kUnknown;
    Close();
  }
  Leave();
}

void Exchange::Close() {
  Enter(Phase::kFinished);
  limit_gate_.Close();
  (void)sender_.TakeStream();
  if (claim_) claim_->Close();
  if (observation_) observation_->End(upstream_result());
  report_.End(call_ ? call_->address() : "");
  call_
      .reset();  // the destructor runs on a later turn, and the call would report events until then
}

// The result of a request that was passed through, complete or cut.
UpstreamResult Exchange::upstream_result() const {
  if (response_.complete) return UpstreamResult::Response(response_.head.status);
  if (upstream_failure_) return UpstreamResult::Failure(upstream_failure_->delivery);
  return UpstreamResult::Failure(call_ ? Delivery::kMaybeSent : Delivery::kNotSent);
}

void Exchange::Leave() {
  report_->bytes_in = body_.received();
  if (claim_) claim_->Describe(*report_);
  if (observation_) observation_->Describe(*report_);
  report_.Send(context_.sink);
  retirement_.Retire(place_);
}

}  // namespace idem::exchange

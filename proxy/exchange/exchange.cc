#include "proxy/exchange/exchange.h"

#include <utility>

#include "proxy/base/log.h"
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
      request_(head, stream.peer(), context.random),
      sender_(stream, report_),
      limit_gate_(context, report_, *this) {
  report_->request_id = request_.id;
  report_->address =
      ClientAddress(request_.peer_address, request_.head.fields, site_->trusted_proxies);
  report_->protocol = request_.head.version;
  report_->method = request_.head.method;
  report_->path = PathOf(request_.head.target);
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
  if (const auto refusal = request_.ChooseRoute(site_->router)) {
    if (EndIsInDoubt(request_.head)) sender_.stream()->CloseAfter();
    return Refuse(*refusal, RequestDecision::kRefused);
  }
  report_->route = request_.route->name;
  if (!request_.ExpectBody()) return RefuseBody(BodyTooLarge());
  sender_.stream()->LimitBody(request_.route->max_body);
  if (request_.body.ended()) return OnReceived();
  sender_.stream()->ResumeBody();
}

void Exchange::OnBody(std::string_view bytes) {
  if (phase_ == Phase::kFinished) return;
  if (!request_.body.Count(bytes)) return RefuseBody(BodyTooLarge());
  if (sends_body()) {
    request_.body.Stream(bytes, *call_);
    if (call_->unsent_bytes() > kUnsentMax) sender_.stream()->PauseBody();
    return;
  }
  request_.body.Keep(bytes);
  if (phase_ != Phase::kReceiving || !request_.body.enough()) return;
  sender_.stream()->PauseBody();
  OnReceived();
}

void Exchange::OnBodyEnd() {
  if (phase_ == Phase::kFinished) return;
  request_.body.End();
  if (phase_ == Phase::kReceiving) return OnReceived();
  if (!sends_body()) return;
  request_.body.Stream("", *call_);
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
  request_.ReadKey();
  Limit();
}

bool Exchange::Authenticate() {
  if (!request_.route->authenticate) return true;
  report_.StartStep();
  const auto refusal = request_.Authenticate(site_->clients, sender_.stream()->peer().tls_subject);
  report_.AddElapsed(&ports::RequestReport::auth);
  report_->client = request_.client;
  if (refusal) Refuse(*refusal, RequestDecision::kRefused);
  return !refusal;
}

// The step that begins a claim also counts the limit. A request that will not reach that step is
// counted here.
void Exchange::Limit() {
  if (!request_.route->rate_limit) return TakeKey();
  const bool begins = request_.policy != nullptr && request_.valid_key() != nullptr;
  if (begins) return TakeKey();
  Enter(Phase::kLimiting);
  limit_gate_.Count(*request_.route, request_.head.fields, site_->options.store_timeout);
}

void Exchange::TakeKey() {
  if (request_.observed != nullptr) {
    Forward();
    return Observe();
  }
  if (request_.policy == nullptr) return Forward();
  if (const auto* invalid = std::get_if<idempotency::KeyInvalid>(&request_.key)) {
    return Refuse(KeyInvalid(invalid->reason), RequestDecision::kRefused);
  }
  if (request_.valid_key() != nullptr) return Claim();
  if (request_.policy->required) {
    return Refuse(KeyMissing(request_.policy->header), RequestDecision::kRefused);
  }
  request_.policy = nullptr;
  Forward();
}

// Runs beside the request, which has been forwarded already. Nothing waits for its result.
void Exchange::Observe() {
  observation_.emplace(context_, site_->options, request_.AsProtected(*request_.observed),
                       [this] { Leave(); });
  observation_->Start(request_.key, request_.body.ended());
}

// ---- Claim --------------------------------------------------------------------------------------

void Exchange::Claim() {
  claim_.emplace(context_, site_->options, *site_->upstreams[request_.route->upstream],
                 request_.AsProtected(*request_.policy), *this);
  if (!claim_->may_begin()) return Refuse(StoreUnavailable(), RequestDecision::kFailed);
  const bool counted = phase_ == Phase::kLimiting;
  std::optional<ports::LimitRequest> limit;
  if (request_.route->rate_limit && !counted) {
    limit = limit_gate_.MakeLimitRequest(*request_.route, request_.head.fields);
  }
  Enter(Phase::kClaiming);
  claim_->Take(std::move(limit));
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
  report_->unused_key = request_.has_unused_key();
  const http::Peer peer = sender_.stream()->peer();
  request_.BuildUpstreamHead(peer, IsTrusted(request_.peer_address, site_->trusted_proxies),
                             claimed, upstream_head_);
  const bool whole = request_.body.ended();
  report_.StartStep();
  const bool safe = request_.head.method == "GET" || request_.head.method == "HEAD";
  call_ = site_->upstreams[request_.route->upstream]->Send(
      upstream_head_, whole ? &request_.body.kept() : nullptr,
      {.claim = claimed && !request_.policy->upstream_idempotent,
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
  if (!request_.body.ended()) sender_.stream()->ResumeBody();
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
  if (!response_.TakeHead(head, request_.policy->max_recorded_body)) ConcludeTooLarge();
}

void Exchange::OnUpstreamBody(std::string_view bytes) {
  if (sender_.streaming()) return StreamBody(bytes);
  const bool fits = response_.TakeBody(bytes, request_.policy->max_recorded_body);
  if (phase_ == Phase::kForwarding && !fits) ConcludeTooLarge();
}

void Exchange::OnUpstreamEnd() {
  const bool is_whole = response_.TakeEnd(call_->announces_close());
  if (sender_.streaming()) return EndStreaming();
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
      {{"request_id", request_.id}, {"route", request_.route->name}, {"reason", failure.detail}});
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
  if (sender_.stream() != nullptr && !request_.body.ended()) sender_.stream()->ResumeBody();
}

// ---- Record -------------------------------------------------------------------------------------

void Exchange::Conclude(const UpstreamResult& result) {
  report_.AddElapsed(&ports::RequestReport::upstream);
  ending_ = idempotency::DecideEnding(*request_.policy, result);
  if (ending_ == ClaimEnding::kRecord) {
    stored_ = response_.MoveToStored(request_.policy->replay_drop);
  }
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
  Render(WithProgress(reply, progress()), request_.id, head, body);
  Answer(head, body);
}

// A backend that drops duplicates does so by a key, which a request without one does not have.
RequestProgress Exchange::progress() const {
  const idempotency::Policy* policy =
      request_.policy != nullptr ? request_.policy : request_.observed;
  const bool has_key = request_.valid_key() != nullptr;
  return {
      .written = upstream_failure_ ? upstream_failure_->delivery != Delivery::kNotSent : written_,
      .method = request_.head.method,
      .upstream_idempotent = policy != nullptr && policy->upstream_idempotent && has_key};
}

// Reports before it sends: the counters include every response that a caller has seen.
void Exchange::Answer(http::ResponseHead& head, std::string_view body) {
  Enter(Phase::kAnswering);
  const FramedResponse response = sender_.Frame(head, body, applied_limit());
  Finish();
  response.Send();
}

void Exchange::BeginStreaming() {
  if (!request_.policy) {
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
  return {.rule = &request_.route->rate_limit->rule, .result = &*result};
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
  // This object is destroyed on a later turn, and the call would report events until then.
  call_.reset();
}

// The result of a request that was passed through, complete or cut.
UpstreamResult Exchange::upstream_result() const {
  if (response_.complete) return UpstreamResult::Response(response_.head.status);
  if (upstream_failure_) return UpstreamResult::Failure(upstream_failure_->delivery);
  return UpstreamResult::Failure(call_ ? Delivery::kMaybeSent : Delivery::kNotSent);
}

void Exchange::Leave() {
  report_->bytes_in = request_.body.received();
  if (claim_) claim_->Describe(*report_);
  if (observation_) observation_->Describe(*report_);
  report_.Send(context_.sink);
  retirement_.Retire(place_);
}

}  // namespace idem::exchange

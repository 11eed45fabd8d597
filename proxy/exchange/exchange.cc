#include "proxy/exchange/exchange.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/exchange/caller.h"
#include "proxy/exchange/exchange_registry.h"
#include "proxy/exchange/forwarding.h"
#include "proxy/exchange/store_counts.h"

namespace idem::exchange {

using idempotency::Decision;
using idempotency::Ending;
using idempotency::RecordState;
using idempotency::Seen;

namespace {

constexpr Duration kFirstPoll = std::chrono::milliseconds(25);
constexpr Duration kLongestPoll = std::chrono::milliseconds(250);
constexpr std::size_t kUnsentMax = 64 * 1024;  // beyond it the faster side is paused
// Of a body that is streamed this much is read before the upstream is asked: a small one that is
// malformed or cut short reaches no backend.
constexpr std::size_t kReadAheadBytes = 64 * 1024;
constexpr std::size_t kPendingSettlementsMax = 10'000;

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

// In any case: `post` is another method than POST, but not for every backend.
bool HasMethod(const std::vector<std::string>& methods, std::string_view method) {
  return std::any_of(methods.begin(), methods.end(), [&](const std::string& other) {
    return http::EqualsIgnoreCase(other, method);
  });
}

}  // namespace

Exchange::Exchange(const Parts& parts, ExchangeRegistry& registry, std::shared_ptr<const Site> site,
                   http::ServerStream& stream, http::RequestHead& head)
    : parts_(parts), registry_(registry), site_(std::move(site)), stream_(&stream) {
  std::swap(request_, head);
  began_at_ = since_ = parts_.loop.Now();
  peer_address_ = stream.peer().address;
  request_id_ = ChooseRequestId(request_.fields, parts_.random);
  report_.address = peer_address_;
  report_.protocol = request_.version;
  report_.request_id = request_id_;
}

Exchange::~Exchange() { SetClaimed(false); }

void Exchange::Enter(Phase to) {
  INVARIANT(MayFollow(phase_, to));
  phase_ = to;
}

void Exchange::Clock(Duration Report::*spent) {
  const BootTime now = parts_.loop.Now();
  report_.*spent += now - since_;
  since_ = now;
}

// ---- Route --------------------------------------------------------------------------------------

void Exchange::StartUnreadable(const http::ParseError& error) {
  stream_->CloseAfter();
  Refuse(Unreadable(error.status, error.name, error.detail), Verdict::kRefused);
}

void Exchange::Start() {
  if (registry_.draining()) {
    stream_->CloseAfter();
    return Refuse(Draining(), Verdict::kRefused);
  }
  if (request_.method == "CONNECT" || request_.method == "TRACE") {
    return Refuse(NotImplemented("This proxy does not serve that method."), Verdict::kRefused);
  }
  if (NamesProtectedField(request_.fields)) {
    return Refuse(BadRequest("Connection names a field that belongs to the whole message."),
                  Verdict::kRefused);
  }
  const Router::Match match = site_->router.Find(request_.method, request_.host(), request_.target);
  if (std::holds_alternative<Router::NoRoute>(match)) return Refuse(NoRoute(), Verdict::kRefused);
  if (std::holds_alternative<Router::AmbiguousPath>(match)) {
    return Refuse(BadRequest("The path can be read as two different ones."), Verdict::kRefused);
  }
  if (const auto* other = std::get_if<Router::MethodNotAllowed>(&match)) {
    return Refuse(MethodNotAllowed(other->allow), Verdict::kRefused);
  }
  route_ = std::get<const Route*>(match);
  if (idempotent()) policy_ = &*route_->idempotency;
  Admit();
}

bool Exchange::idempotent() const {
  return route_->idempotency && HasMethod(route_->idempotency->methods, request_.method);
}

// A signature over the body and a fingerprint need it whole before anything is forwarded.
bool Exchange::buffers_body() const { return policy_ != nullptr || route_->authenticate; }

void Exchange::Admit() {
  using Kind = http::BodyLength::Kind;
  if (request_.body.kind == Kind::kKnown && request_.body.bytes > route_->max_body) {
    stream_->CloseAfter();
    return Refuse(BodyTooLarge(), Verdict::kRefused);
  }
  body_ended_ = request_.body.kind == Kind::kNone ||
                (request_.body.kind == Kind::kKnown && request_.body.bytes == 0);
  if (body_ended_) return OnReceived();
  if (request_.body.kind == Kind::kKnown) {
    request_body_.reserve(buffers_body()
                              ? request_.body.bytes
                              : std::min<std::uint64_t>(request_.body.bytes, kReadAheadBytes));
  }
  stream_->ResumeBody();
}

void Exchange::OnBody(std::string_view bytes) {
  if (phase_ == Phase::kFinished) return;
  body_bytes_ += bytes.size();
  if (body_bytes_ > route_->max_body) return RefuseBody(BodyTooLarge());
  if (sends_body()) {
    SendReadAhead();
    call_->SendBody(bytes);
    if (call_->unsent_bytes() > kUnsentMax) stream_->PauseBody();
    return;
  }
  request_body_.append(bytes);
  if (phase_ != Phase::kReceiving || buffers_body() || body_bytes_ < kReadAheadBytes) return;
  stream_->PauseBody();
  OnReceived();
}

void Exchange::OnBodyEnd() {
  if (phase_ == Phase::kFinished) return;
  body_ended_ = true;
  if (phase_ == Phase::kReceiving) return OnReceived();
  if (!sends_body()) return;
  SendReadAhead();
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
  if (!streaming_) return Refuse(reply, Verdict::kRefused);
  stream_->Abort();
  Finish();
}

bool Exchange::sends_body() const {
  return call_ != nullptr && (phase_ == Phase::kForwarding || streaming_);
}

void Exchange::SendReadAhead() {
  if (request_body_.empty()) return;
  call_->SendBody(request_body_);
  request_body_.clear();
}

void Exchange::OnClientGone() {
  stream_ = nullptr;
  switch (phase_) {
    case Phase::kClaiming:
    case Phase::kRecording:
    case Phase::kFinished:
      return;
    case Phase::kForwarding:
      if (claimed_) return;
      break;
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
  Limit();
}

bool Exchange::Authenticate() {
  if (!route_->authenticate) return true;
  since_ = parts_.loop.Now();
  const auto result = auth::Authenticate(*route_->authenticate, site_->clients, request_,
                                         request_body_, std::chrono::system_clock::now());
  Clock(&Report::auth);
  if (const auto* who = std::get_if<auth::Authenticated>(&result)) {
    report_.client = who->client_id;
    return true;
  }
  const std::string_view problem =
      std::holds_alternative<auth::SignatureMissing>(result)   ? "signature-missing"
      : std::holds_alternative<auth::SignatureExpired>(result) ? "signature-expired"
                                                               : "signature-invalid";
  Refuse(SignatureRefused(problem, auth::SchemeName(route_->authenticate->scheme)),
         Verdict::kRefused);
  return false;
}

// Where the store can do both, the limit is counted in the step that begins the claim; a request
// that will not reach that step is counted by itself.
void Exchange::Limit() {
  if (!route_->rate_limit) return TakeKey();
  const bool begins =
      policy_ != nullptr &&
      std::holds_alternative<std::string>(idempotency::ReadKey(request_.fields, policy_->header));
  if (begins && parts_.store.limits_with_begin()) return TakeKey();
  Enter(Phase::kLimiting);
  since_ = parts_.loop.Now();
  question_ = parts_.limiter.Count(
      MakeLimitQuestion(), [this](Result<LimitVerdict> verdict) { OnCounted(std::move(verdict)); });
  deadline_ = parts_.loop.After(site_->options.store_timeout, [this] {
    question_.Withdraw();
    OnCounted(Error{ErrorCode::kTimeout, "the store did not answer in time", Reached::kNo});
  });
}

LimitQuestion Exchange::MakeLimitQuestion() {
  const std::string_view address =
      ClientAddress(peer_address_, request_.fields, site_->trusted_proxies);
  return {LimitSubject(*route_, *route_->rate_limit, address, report_.client, request_.fields),
          idempotency::Token::Make(parts_.random), route_->rate_limit->rule};
}

void Exchange::OnCounted(Result<LimitVerdict> verdict) {
  deadline_.Withdraw();
  Clock(&Report::limit);
  CountLimit(parts_.metrics, verdict);
  if (!verdict) {
    if (!route_->rate_limit->allow_on_store_error) {
      return Refuse(StoreUnavailable(), Verdict::kFailed);
    }
    return TakeKey();
  }
  limit_verdict_ = *verdict;
  if (!verdict->allowed) return Refuse(RateLimited(verdict->reset), Verdict::kRefused);
  TakeKey();
}

void Exchange::TakeKey() {
  if (policy_ == nullptr) return Forward();
  auto key = idempotency::ReadKey(request_.fields, policy_->header);
  if (const auto* invalid = std::get_if<idempotency::KeyInvalid>(&key)) {
    return Refuse(KeyInvalid(invalid->reason), Verdict::kRefused);
  }
  if (std::holds_alternative<idempotency::KeyMissing>(key)) {
    if (policy_->required) return Refuse(KeyMissing(), Verdict::kRefused);
    policy_ = nullptr;
    return Forward();
  }
  key_ = std::get<std::string>(std::move(key));
  Claim();
}

// ---- Claim --------------------------------------------------------------------------------------

void Exchange::Claim() {
  if (parts_.unrecorded.bytes.load() >= site_->options.max_unrecorded_bytes ||
      parts_.settler.pending() >= kPendingSettlementsMax) {
    return Refuse(StoreUnavailable(), Verdict::kFailed);
  }
  record_key_ = RecordKeyFor(protected_request(), key_);
  report_.record_key = record_key_;
  claim_ = ProposeClaim(protected_request(), parts_.random);
  std::optional<LimitQuestion> limit;
  if (route_->rate_limit && !limit_verdict_ && phase_ == Phase::kReceiving) {
    limit = MakeLimitQuestion();
    limit->token = claim_.token;  // asked twice, it is counted once
  }
  AskBegin(std::nullopt, std::move(limit));
}

ProtectedRequest Exchange::protected_request() const {
  return {.policy = policy_,
          .route = route_->name,
          .client = report_.client,
          .head = &request_,
          .body = request_body_};
}

void Exchange::AskBegin(std::optional<idempotency::Token> replaces,
                        std::optional<LimitQuestion> limit) {
  Enter(Phase::kClaiming);
  since_ = begin_asked_at_ = parts_.loop.Now();
  question_ =
      parts_.store.Begin({record_key_, claim_, replaces, std::move(limit)},
                         [this](Result<BeginAnswer> answer) { OnBegun(std::move(answer)); });
  deadline_ = parts_.loop.After(site_->options.store_timeout, [this] { OnStoreSilent(); });
}

void Exchange::SetClaimed(bool claimed) {
  if (claimed_ == claimed) return;
  claimed_ = claimed;
  parts_.metrics.claims_executing.Add(claimed ? 1 : -1);
}

void Exchange::OnStoreSilent() {
  CountBeginFailed(parts_.metrics);
  question_.Withdraw();
  deadline_.Withdraw();
  Clock(&Report::store);
  WithdrawClaim();
  Refuse(StoreUnavailable(), Verdict::kFailed);
}

// Not known whether the claim was made: it is taken back in the background, and will not execute.
void Exchange::WithdrawClaim() {
  parts_.settler.SettleInBackground({.kind = Settlement::Kind::kWithdraw,
                                     .record_key = record_key_,
                                     .claim = claim_,
                                     .response = nullptr});
}

void Exchange::OnBegun(Result<BeginAnswer> answer) {
  if (!answer) return OnStoreSilent();
  deadline_.Withdraw();
  Clock(&Report::store);
  if (answer->limit) limit_verdict_ = answer->limit;
  CountBegin(parts_.metrics, answer->kind);
  switch (answer->kind) {
    case BeginAnswer::Kind::kClaimed:
      return OnClaimed();
    case BeginAnswer::Kind::kHeld:
      return OnHeld(*answer->record, answer->now);
    case BeginAnswer::Kind::kLimited:
      return Refuse(RateLimited(limit_verdict_->reset), Verdict::kRefused);
    case BeginAnswer::Kind::kWithdrawn:
      return Refuse(StoreUnavailable(), Verdict::kFailed);
  }
}

// A client that left before its claim began gets no effect.
void Exchange::OnClaimed() {
  SetClaimed(true);
  if (stream_ == nullptr) return Conclude(Seen::Failure(Reached::kNo));
  Forward();
}

void Exchange::OnHeld(const idempotency::Record& record, StoreTime now) {
  const Decision decision =
      idempotency::Decide(*policy_, QuestionFor(protected_request(), claim_, record), record, now);
  if (decision != Decision::kInProgress && place_.held()) parts_.waiters.WakeAll(record_key_);
  switch (decision) {
    case Decision::kExecute:
      return OnClaimed();
    case Decision::kTakeOver:
      if (stored_) break;  // our own effect is made; it is not made again
      return AskBegin(record.claim.token, std::nullopt);
    case Decision::kReplay:
      return AnswerReplay(record);
    case Decision::kNotKept:
      return Refuse(ResponseNotKept(record.response->status), Verdict::kReplayed);
    case Decision::kMismatch:
      if (stored_) return AnswerOutcome();
      return Refuse(PayloadMismatch(policy_->mismatch_status), Verdict::kMismatch);
    case Decision::kInProgress:
      return Wait();
    case Decision::kReconcile:
    case Decision::kUnknown:
      break;
  }
  Refuse(OutcomeUnknown(), Verdict::kUnknown);
}

// Somebody else executes. The first waiter of a key asks the store with growing pauses, the others
// are woken.
void Exchange::Wait() {
  if (stream_ == nullptr) return Finish();
  const bool first_time = !place_.held();
  if (first_time && policy_->in_progress == idempotency::InProgress::kWait) {
    place_ = parts_.waiters.Join(record_key_, *this, parts_.loop, policy_->max_waiters_per_key,
                                 request_body_.size());
  }
  if (!place_.held()) return Refuse(InProgress(), Verdict::kInProgress);
  Enter(Phase::kWaiting);
  if (first_time) {
    next_poll_ = kFirstPoll;
    wait_deadline_ = parts_.loop.After(policy_->wait_timeout, [this] {
      question_.Withdraw();
      if (phase_ == Phase::kClaiming) WithdrawClaim();
      Refuse(InProgress(), Verdict::kInProgress);
    });
  }
  if (!place_.is_first()) return;
  deadline_ = parts_.loop.After(next_poll_, [this] { OnWoken(); });
  next_poll_ = std::min(next_poll_ * 2, kLongestPoll);
}

void Exchange::OnWoken() {
  if (phase_ != Phase::kWaiting) return;
  deadline_.Withdraw();
  if (stored_)
    return Settle(Ending::kRecord);  // our effect is made: ask to record it, never to execute
  AskBegin(std::nullopt, std::nullopt);
}

// ---- Forward ------------------------------------------------------------------------------------

void Exchange::Forward() {
  place_.Leave();
  wait_deadline_.Withdraw();
  Enter(Phase::kForwarding);
  const bool trusted = IsTrusted(peer_address_, site_->trusted_proxies);
  const http::Peer peer = stream_->peer();
  BuildUpstreamHead(
      {.received = &request_,
       .peer = &peer,
       .peer_trusted = trusted,
       .request_id = request_id_,
       .client_id = report_.client,
       .key_header = claimed_ ? std::string_view(policy_->header) : std::string_view(),
       .key = key_,
       .identity_encoding = claimed_},
      upstream_head_);
  const bool whole = body_ended_;
  if (whole) {
    const bool has_body = request_.body.kind != http::BodyLength::Kind::kNone ||
                          request_.method == "POST" || request_.method == "PUT" ||
                          request_.method == "PATCH";
    upstream_head_.body =
        has_body ? http::BodyLength::Known(request_body_.size()) : http::BodyLength{};
  } else {
    upstream_head_.body = request_.body;
  }
  since_ = parts_.loop.Now();
  const bool safe = request_.method == "GET" || request_.method == "HEAD";
  call_ = site_->upstreams[route_->upstream].upstream->Send(
      upstream_head_, whole ? &request_body_ : nullptr,
      {.claim = claimed_ && !policy_->upstream_idempotent,
       .retry_stale = safe && !claimed_,
       .streamed = !claimed_},
      *this);
}

// From when `begin` was asked, on a clock that counts suspension. A lease that was configured
// shorter than all waits together cannot cover them; it must at least not be over.
bool Exchange::lease_covers_the_rest() const {
  const UpstreamSlot& slot = site_->upstreams[route_->upstream];
  const Duration left = begin_asked_at_ + claim_.lease - parts_.loop.Now();
  const Duration all = slot.upstream->longest_wait() + policy_->record_timeout;
  const Duration rest = slot.response_timeout + policy_->record_timeout;
  return claim_.lease >= all ? left >= rest : left > Duration::zero();
}

bool Exchange::OnUpstreamReady() {
  if (claimed_ && !lease_covers_the_rest()) {
    upstream_failure_ = UpstreamFailure{UpstreamProblem::kAbandoned, Reached::kNo, {}};
    Conclude(Seen::Failure(Reached::kNo));
    return false;
  }
  if (!body_ended_) stream_->ResumeBody();
  return true;
}

void Exchange::OnUpstreamInterim(const http::ResponseHead& head) {
  if (stream_ == nullptr || claimed_) return;  // of a claim nothing goes out before its record
  http::ResponseHead interim;
  interim.status = head.status;
  interim.reason = head.reason;
  CopyEndToEnd(head.fields, interim.fields);
  stream_->SendInterim(interim);
}

void Exchange::OnUpstreamHead(http::ResponseHead& head) {
  std::swap(response_, head);
  report_.upstream_status = response_.status;
  if (!claimed_) return BeginStreaming();
  const http::BodyLength& body = response_.body;
  if (body.kind != http::BodyLength::Kind::kKnown) return;
  if (body.bytes > policy_->max_recorded_body) {
    too_large_to_keep_ = true;
    call_->PauseResponse();
    return Conclude(Seen::Response(response_.status));
  }
  response_body_.reserve(body.bytes);
}

void Exchange::OnUpstreamBody(std::string_view bytes) {
  if (streaming_) return StreamBody(bytes);
  response_body_.append(bytes);
  if (phase_ != Phase::kForwarding || response_body_.size() <= policy_->max_recorded_body) return;
  too_large_to_keep_ = true;
  call_->PauseResponse();
  Conclude(Seen::Response(response_.status));
}

void Exchange::OnUpstreamEnd() {
  response_complete_ = true;
  if (streaming_) return EndStreaming();
  if (phase_ == Phase::kForwarding) Conclude(Seen::Response(response_.status));
}

void Exchange::OnUpstreamFailure(const UpstreamFailure& failure) {
  upstream_failure_ = failure;
  log::Write(log::Level::kWarn, "upstream_failed",
             {{"request_id", request_id_}, {"route", route_->name}, {"reason", failure.detail}});
  if (streaming_) {
    if (stream_ != nullptr) stream_->Abort();
    return Finish();
  }
  if (phase_ != Phase::kForwarding)
    return;  // a large response was cut while its record was written
  if (claimed_) return Conclude(Seen::Failure(failure.reached));
  Clock(&Report::upstream);
  Refuse(UpstreamFailed(failure.problem, false), Verdict::kFailed);
}

void Exchange::OnUpstreamSent() {
  if (stream_ != nullptr && !body_ended_) stream_->ResumeBody();
}

// ---- Record -------------------------------------------------------------------------------------

void Exchange::Conclude(const Seen& seen) {
  if (phase_ == Phase::kForwarding) Clock(&Report::upstream);
  ending_ = idempotency::DecideOutcome(*policy_, seen);
  if (ending_ == Ending::kRecord) {
    auto stored = std::make_shared<idempotency::StoredResponse>();
    stored->status = response_.status;
    CopyRecorded(response_.fields, policy_->replay_drop, stored->fields);
    stored->body_kept = !too_large_to_keep_;
    if (stored->body_kept) stored->body = std::move(response_body_);
    stored_ = std::move(stored);
  }
  if (phase_ ==
      Phase::kClaiming) {  // the client left before its claim began: nobody waits for the release
    parts_.settler.SettleInBackground({.kind = Settlement::Kind::kRelease,
                                       .record_key = record_key_,
                                       .claim = claim_,
                                       .response = nullptr});
    parts_.waiters.WakeFirst(record_key_);
    return Finish();
  }
  Settle(ending_);
}

void Exchange::Settle(Ending ending) {
  Enter(Phase::kRecording);
  since_ = parts_.loop.Now();
  Settlement settlement{.kind = ending == Ending::kRecord    ? Settlement::Kind::kComplete
                                : ending == Ending::kRelease ? Settlement::Kind::kRelease
                                                             : Settlement::Kind::kMarkUnknown,
                        .record_key = record_key_,
                        .claim = claim_,
                        .response = stored_,
                        .ttl = policy_->ttl};
  deadline_ = parts_.loop.After(policy_->record_timeout, [this] { OnRecordTimeout(); });
  question_ = parts_.settler.Settle(std::move(settlement),
                                    [this](const SettleAnswer& answer) { OnSettled(answer); });
}

void Exchange::OnSettled(const SettleAnswer& answer) {
  deadline_.Withdraw();
  Clock(&Report::store);
  SetClaimed(false);
  if (ending_ == Ending::kRelease) {
    parts_.waiters.WakeFirst(record_key_);
  } else {
    parts_.waiters.WakeAll(record_key_);
  }
  if (ending_ == Ending::kRecord && answer.kind == SettleAnswer::Kind::kHeld) {
    return OnHeld(*answer.record, answer.now);
  }
  AnswerOutcome();
}

// The settler goes on until the store answers. The caller gets the true response, marked.
void Exchange::OnRecordTimeout() {
  question_.Withdraw();
  Clock(&Report::store);
  SetClaimed(false);
  report_.unrecorded = ending_ == Ending::kRecord;
  AnswerOutcome();
}

// ---- Answer -------------------------------------------------------------------------------------

void Exchange::AnswerOutcome() {
  if (stream_ == nullptr) return Finish();
  const bool responded = response_complete_ || too_large_to_keep_;
  if (!responded) {
    return Refuse(UpstreamFailed(upstream_failure_->problem, ending_ == Ending::kUnknown),
                  ending_ == Ending::kUnknown ? Verdict::kUnknown : Verdict::kFailed);
  }
  report_.verdict = ending_ == Ending::kUnknown ? Verdict::kUnknown : Verdict::kExecuted;
  if (too_large_to_keep_) {
    BeginStreaming();
    StreamBody(response_body_);
    if (response_complete_) return EndStreaming();
    if (upstream_failure_) {
      stream_->Abort();
      return Finish();
    }
    return call_->ResumeResponse();
  }
  http::ResponseHead head = MakeClientHead();
  Answer(head, stored_ ? stored_->body : response_body_);
}

void Exchange::AnswerReplay(const idempotency::Record& record) {
  if (stream_ == nullptr) return Finish();
  report_.verdict = Verdict::kReplayed;
  http::ResponseHead head;
  head.status = record.response->status;
  for (const http::FieldLine line : record.response->fields) head.fields.Add(line.name, line.value);
  head.fields.Set("Idempotent-Replayed", "true");
  Answer(head, record.response->body);
}

void Exchange::Refuse(const Reply& reply, Verdict verdict) {
  report_.verdict = verdict;
  report_.problem = reply.name;
  if (stream_ == nullptr) return Finish();
  http::ResponseHead head;
  std::string body;
  Render(reply, request_id_, head, body);
  Answer(head, body);
}

// Reported before it is sent: what a caller has been answered is in the counters.
void Exchange::Answer(http::ResponseHead& head, std::string_view body) {
  Enter(Phase::kAnswering);
  AddOwnFields(head);
  const bool no_body = http::HasNoBody(request_.method, head.status);
  head.body = no_body && request_.method != "HEAD" ? http::BodyLength{}
                                                   : http::BodyLength::Known(body.size());
  report_.status = head.status;
  report_.bytes_out = no_body ? 0 : body.size();
  http::ServerStream& stream = *std::exchange(stream_, nullptr);
  Finish();
  stream.SendHead(head);
  if (!no_body && !body.empty()) stream.SendBody(body);
  stream.End();
}

void Exchange::AddOwnFields(http::ResponseHead& head) {
  if (limit_verdict_) AddLimitFields(route_->rate_limit->rule, *limit_verdict_, head.fields);
  head.fields.Set("X-Request-Id", request_id_);
}

// The upstream's head as the client gets it, but for its framing.
http::ResponseHead Exchange::MakeClientHead() const {
  http::ResponseHead head;
  head.status = response_.status;
  head.reason = response_.reason;
  policy_ != nullptr ? CopyExecuted(response_.fields, head.fields)
                     : CopyEndToEnd(response_.fields, head.fields);
  if (report_.unrecorded) head.fields.Add("Idempotency-Status", "unrecorded");
  return head;
}

void Exchange::BeginStreaming() {
  if (!policy_) {
    Clock(&Report::upstream);
    report_.verdict = Verdict::kPassed;
  }
  Enter(Phase::kAnswering);
  streaming_ = true;
  http::ResponseHead head = MakeClientHead();
  AddOwnFields(head);
  head.body = response_.body;
  if (request_.method == "HEAD") {  // what a GET would have had
    std::uint64_t length = 0;
    const auto given = response_.fields.Find("Content-Length").value_or("");
    const auto parsed = std::from_chars(given.data(), given.data() + given.size(), length);
    if (!given.empty() && parsed.ec == std::errc()) head.body = http::BodyLength::Known(length);
  }
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
  Enter(Phase::kFinished);
  question_.Withdraw();
  deadline_.Withdraw();
  wait_deadline_.Withdraw();
  place_.Leave();
  stream_ = nullptr;
  if (call_) upstream_address_ = call_->address();
  call_.reset();  // it would tell us more until the destructor runs, on a later turn
  report_.route = route_;
  report_.method = request_.method;
  report_.path = PathOf(request_.target);
  report_.upstream_address = upstream_address_;
  report_.bytes_in = body_bytes_;
  report_.total = parts_.loop.Now() - began_at_;
  parts_.observer.OnFinished(report_);
  registry_.Retire(*this);
}

}  // namespace idem::exchange

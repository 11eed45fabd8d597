#include "tests/simulation/backend.h"

#include <algorithm>
#include <utility>

namespace idem::simulation {

using ports::UpstreamProblem;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool Backend::drops_duplicates() const {
  const Scenario& scenario = parts.weather.scenario;
  if (scenario.policy.upstream_idempotent) return true;
  return scenario.change == Change::kBackendDropsDuplicates &&
         parts.timeline.age() >= scenario.change_at;
}

bool Backend::Act(Call& call) {
  const Intent& intent = *call.attempt->intent;
  if (drops_duplicates()) {
    const auto [found, is_new] = done_.try_emplace(intent.identity, &intent);
    if (!is_new) return found->second == &intent;
  }
  parts.trace.Say([&](auto& out) { out << "backend  EFFECT of call " << call.number; });
  parts.auditor.OnEffect(call);
  if (parts.weather.scenario.policy.reconcile) ShowLater(call);
  return true;
}

// Shows the effect some time after it was made, and within `after` of its lease's end. Otherwise a
// look-up of this backend would be unsafe.
void Backend::ShowLater(const Call& call) {
  const ClaimFacts* claim = parts.ledger.Claim(call.attempt->token);
  INVARIANT(claim != nullptr);
  const idempotency::ReconcileRule& rule = *parts.weather.scenario.policy.reconcile;
  const StoreTime now = parts.store.Now();
  const StoreTime latest = claim->begun_at.value_or(now) + claim->lease + rule.after;
  Duration hidden = parts.weather.draw.Between(Duration::zero(), seconds(4));
  hidden = std::clamp<Duration>(latest - now, Duration::zero(), hidden);
  shown_[call.attempt->intent->identity].push_back(
      {{parts.ledger.effects_made, &call}, parts.timeline.now() + hidden});
}

const Effect* Backend::Shown(const Intent& intent) const {
  const auto all = shown_.find(intent.identity);
  if (all == shown_.end()) return nullptr;
  for (const Showing& one : all->second) {
    if (one.from <= parts.timeline.now()) return &one.effect;
  }
  return nullptr;
}

struct BackendLink::Running {
  Call* call = nullptr;
  Fate fate;
  ports::UpstreamEvents* events = nullptr;  // null once no one waits for events
  bool written = false;
  bool over = false;  // its last event was delivered
  bool paused = false;
  bool pumping = false;
  bool acted = false;
  std::deque<Piece> pieces;  // on their way to the proxy
};

struct BackendLink::Handle final : ports::UpstreamCall {
  Handle(BackendLink& link, Running& running) : link_(link), running_(running) {}
  ~Handle() override { running_.events = nullptr; }
  void SendBody(std::string_view) override {}
  void EndBody() override {}
  [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }
  void PauseResponse() override { running_.paused = true; }
  void ResumeResponse() override {
    running_.paused = false;
    link_.PumpLater(running_);
  }
  [[nodiscard]] std::string_view address() const override { return "192.0.2.9:80"; }
  BackendLink& link_;
  Running& running_;
};

BackendLink::BackendLink(Backend& backend, ProcessLoop& loop, std::size_t process)
    : backend_(backend), loop_(loop), process_(process), look_ups_(backend, loop, process) {}
BackendLink::~BackendLink() = default;

// ---- The fate of a call -------------------------------------------------------------------------

BackendLink::Fate BackendLink::DrawFate() {
  Draw& draw = backend_.parts.weather.draw;
  const BackendFaults& faults = backend_.parts.weather.scenario.backend;
  Fate fate;
  fate.connects = draw.Between(microseconds(100), milliseconds(3));
  fate.acts_after = draw.Between(microseconds(200), milliseconds(40));
  fate.interim = draw.Chance(50);
  if (backend_.parts.weather.Strikes(faults.slow)) {
    fate.acts_after = draw.Between(milliseconds(100), seconds(6));
    if (draw.Chance(200)) fate.connects = draw.Between(milliseconds(100), milliseconds(1500));
  }
  fate.large = backend_.parts.weather.Strikes(faults.large);
  if (backend_.parts.weather.Strikes(faults.trouble)) DrawTrouble(fate);
  return fate;
}

void BackendLink::DrawTrouble(Fate& fate) {
  Draw& draw = backend_.parts.weather.draw;
  switch (draw.Below(14)) {
    case 0:
      fate.refused = true;
      return;
    case 1:
      fate.no_slot = true;
      return;
    case 2:
      fate.status = draw.OneOf<std::uint16_t>({401, 407, 421, 425, 429});
      fate.acts = false;
      return;
    case 3:
      fate.status = 409;
      fate.acts = draw.Chance(300);
      return;
    case 4:
    case 5:
      fate.status = draw.OneOf<std::uint16_t>({408, 460, 499, 502, 503, 504, 524, 598});
      fate.acts = draw.Chance(500);
      // An owner who configures 503 as released states that 503 means: not acted.
      for (const auto& known : backend_.parts.weather.scenario.policy.overrides) {
        if (fate.status == 503 && known.first == 503) fate.acts = false;
      }
      return;
    case 6:
      fate.status = draw.OneOf<std::uint16_t>({500, 501});
      fate.acts = draw.Chance(500);
      return;
    case 7:
      fate.status = draw.OneOf<std::uint16_t>({400, 404, 422});
      fate.acts = false;
      return;
    case 8:
      fate.status = 303;
      return;
    case 9:
      fate.hangs = true;
      fate.acts = draw.Chance(500);
      return;
    case 10:
    case 11:
      fate.ending = Ending::kReset;
      fate.acts = draw.Chance(700);
      return;
    case 12:
      fate.ending = Ending::kTruncated;
      return;
    default:
      fate.ending = Ending::kMalformed;
      return;
  }
}

// ---- The course of a call -----------------------------------------------------------------------

std::unique_ptr<ports::UpstreamCall> BackendLink::Send(const http::RequestHead& head,
                                                       const std::string* body,
                                                       const ports::UpstreamTerms& terms,
                                                       ports::UpstreamEvents& events) {
  static_cast<void>(body);
  static_cast<void>(terms);
  if (head.method == "GET") return look_ups_.Send(head, events);
  Ledger& ledger = backend_.parts.ledger;
  Running& running = *running_.emplace_back(std::make_unique<Running>());
  running.call = &ledger.calls.emplace_back();
  running.call->number = ledger.calls.size();
  running.call->attempt = &ledger.AttemptOf(head);
  running.events = &events;
  running.fate = DrawFate();
  const ClaimFacts* claim = ledger.Claim(running.call->attempt->token);
  running.call->claimed_idempotent = claim != nullptr && claim->upstream_idempotent;
  const auto not_sent = [&](UpstreamProblem problem) {
    loop_.Arrive(running.fate.connects,
                 [this, &running, problem] { FailCall(running, problem, Delivery::kNotSent); });
  };
  if (running.fate.refused) {
    not_sent(UpstreamProblem::kUnreachable);
  } else if (running.fate.no_slot) {
    not_sent(UpstreamProblem::kOverloaded);
  } else {
    loop_.Arrive(running.fate.connects, [this, &running] { Ready(running); });
  }
  return std::make_unique<Handle>(*this, running);
}

void BackendLink::Ready(Running& running) {
  if (running.events == nullptr) return;
  Call& call = *running.call;
  if (!running.events->OnUpstreamReady()) {
    backend_.parts.coverage.Count(Saw::kLeaseTooShort, call.claimed_idempotent);
    running.events = nullptr;
    return;
  }
  running.written = true;
  call.attempt->written = true;
  call.written_at = backend_.parts.store.Now();
  backend_.parts.trace.Say([&](auto& out) {
    out << "p" << process_ << "       sends attempt " << call.attempt->number
        << " to the backend as call " << call.number;
  });
  loop_.Arrive(kResponseTimeout, [this, &running] {
    FailCall(running, UpstreamProblem::kTimeout, Delivery::kMaybeSent);
  });
  backend_.parts.timeline.After(running.fate.acts_after, [this, &running] { Receive(running); });
}

void BackendLink::FailCall(Running& running, UpstreamProblem problem, Delivery delivery) {
  if (running.events == nullptr || running.over) return;
  running.over = true;
  const bool idempotent = running.call->claimed_idempotent;
  if (problem == UpstreamProblem::kUnreachable)
    backend_.parts.coverage.Count(Saw::kRefused, idempotent);
  if (problem == UpstreamProblem::kOverloaded)
    backend_.parts.coverage.Count(Saw::kNoSlot, idempotent);
  if (problem == UpstreamProblem::kTimeout)
    backend_.parts.coverage.Count(Saw::kTimeout, idempotent);
  if (delivery == Delivery::kMaybeSent && running.acted) {
    backend_.parts.coverage.Count(Fault::kEffectAnswerLost);
  }
  running.events->OnUpstreamFailure({problem, delivery, "simulated"});
}

// The call is at the backend, so the outcome no longer depends on the proxy.
void BackendLink::Receive(Running& running) {
  Call& call = *running.call;
  Fate& fate = running.fate;
  if (fate.acts) {
    if (running.events == nullptr) backend_.parts.coverage.Count(Fault::kEffectAfterAbort);
    running.acted = backend_.Act(call);
    if (!running.acted) fate.status = 422;
  }
  if (!fate.hangs) Respond(running);
}

void BackendLink::Respond(Running& running) {
  Call& call = *running.call;
  const Fate& fate = running.fate;
  call.status = fate.status;
  const std::string number = std::to_string(call.number);
  call.fields.Add("Content-Type", "application/json");
  call.fields.Add("X-Call", number);
  call.fields.Add("Link", "<a>");
  call.fields.Add("Link", "<" + number + ">");
  call.fields.Add("Set-Cookie", "seen=" + number);
  call.fields.Add("Date", "Tue, 01 Jan 2030 00:00:00 GMT");
  call.body = "{\"call\":" + number +
              ",\"intent\":" + std::to_string(call.attempt->intent->number) +
              ",\"acted\":" + (running.acted ? "true" : "false") + "}";
  if (fate.large) call.body.append(300, 'x');
  call.answered =
      fate.ending == Ending::kWhole || (fate.ending == Ending::kTruncated && fate.large);
  backend_.parts.trace.Say([&](auto& out) {
    out << "backend  answers call " << number << " with " << call.status
        << (fate.large ? ", large" : "") << (fate.ending == Ending::kWhole ? "" : ", broken");
  });
  auto& pieces = running.pieces;
  using Kind = Piece::Kind;
  if (fate.interim) pieces.push_back({Kind::kInterim});
  const auto fails = [&](UpstreamProblem problem) {
    pieces.push_back({Kind::kFailure, {}, problem});
  };
  const std::size_t half = call.body.size() * 3 / 4;
  switch (fate.ending) {
    case Ending::kWhole:
      pieces.push_back({Kind::kHead});
      pieces.push_back({Kind::kBody, call.body.substr(0, half)});
      pieces.push_back({Kind::kBody, call.body.substr(half)});
      pieces.push_back({Kind::kEnd});
      break;
    case Ending::kReset:
      fails(UpstreamProblem::kReset);
      break;
    case Ending::kTruncated:
      pieces.push_back({Kind::kHead});
      pieces.push_back({Kind::kBody, call.body.substr(0, half)});
      fails(UpstreamProblem::kReset);
      break;
    case Ending::kMalformed:
      fails(UpstreamProblem::kMalformed);
      break;
  }
  PumpLater(running);
}

void BackendLink::PumpLater(Running& running) {
  if (running.pumping || running.pieces.empty()) return;
  running.pumping = true;
  Draw& draw = backend_.parts.weather.draw;
  loop_.Arrive(draw.Between(microseconds(50), milliseconds(2)), [this, &running] {
    running.pumping = false;
    Pump(running);
  });
}

void BackendLink::Pump(Running& running) {
  if (running.events == nullptr || running.over || running.paused || running.pieces.empty()) return;
  const Piece piece = std::move(running.pieces.front());
  running.pieces.pop_front();
  Deliver(running, piece);
  PumpLater(running);
}

void BackendLink::Deliver(Running& running, const Piece& piece) {
  const bool idempotent = running.call->claimed_idempotent;
  switch (piece.kind) {
    case Piece::Kind::kInterim: {
      http::ResponseHead head;
      head.status = 103;
      return running.events->OnUpstreamInterim(head);
    }
    case Piece::Kind::kHead: {
      http::ResponseHead head;
      head.status = running.call->status;
      head.fields = running.call->fields;
      head.body = running.fate.interim ? http::BodyLength{http::BodyLength::Kind::kChunked, 0}
                                       : http::BodyLength::Known(running.call->body.size());
      if (running.fate.large) backend_.parts.coverage.Count(Saw::kTooLarge, idempotent);
      return running.events->OnUpstreamHead(head);
    }
    case Piece::Kind::kBody:
      return running.events->OnUpstreamBody(piece.body);
    case Piece::Kind::kEnd:
      running.over = true;
      CountResponse(running);
      return running.events->OnUpstreamEnd();
    case Piece::Kind::kFailure:
      break;
  }
  if (piece.problem == UpstreamProblem::kMalformed) {
    backend_.parts.coverage.Count(Saw::kMalformed, idempotent);
  } else if (running.fate.ending == Ending::kReset) {
    backend_.parts.coverage.Count(Saw::kReset, idempotent);
  } else {
    backend_.parts.coverage.Count(running.fate.large ? Saw::kTooLargeCut : Saw::kTruncated,
                                  idempotent);
  }
  FailCall(running, piece.problem, Delivery::kMaybeSent);
}

void BackendLink::CountResponse(const Running& running) {
  const std::uint16_t status = running.call->status;
  const auto count = [&](Saw saw) {
    backend_.parts.coverage.Count(saw, running.call->claimed_idempotent);
  };
  switch (status) {
    case 401:
    case 407:
    case 421:
    case 425:
    case 429:
      return count(Saw::kNotActed);
    case 409:
      return count(Saw::kConflict);
    case 408:
    case 460:
    case 499:
    case 502:
    case 503:
    case 504:
    case 524:
    case 598:
      return count(Saw::kGateway);
    default:
      break;
  }
  if (status < 300) return count(Saw::kSuccess);
  if (status < 400) return count(Saw::kRedirect);
  count(status < 500 ? Saw::kRejected : Saw::kServerError);
}

}  // namespace idem::simulation

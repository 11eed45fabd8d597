#include "tests/simulation/look_ups.h"

#include <utility>

#include "tests/simulation/backend.h"

namespace idem::simulation {

using ports::UpstreamProblem;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct LookUps::Running {
  Attempt* asker = nullptr;
  Fate fate = Fate::kAnswered;
  ports::UpstreamEvents* events = nullptr;  // null once no one waits for events
  std::uint16_t status = 0;
  http::Fields fields;
  std::string body;
};

struct LookUps::Handle final : ports::UpstreamCall {
  explicit Handle(Running& of) : running(of) {}
  ~Handle() override { running.events = nullptr; }
  void SendBody(std::string_view) override {}
  void EndBody() override {}
  [[nodiscard]] std::size_t unsent_bytes() const override { return 0; }
  void PauseResponse() override {}
  void ResumeResponse() override {}
  [[nodiscard]] std::string_view address() const override { return "192.0.2.9:80"; }
  Running& running;
};

LookUps::LookUps(Backend& backend, ProcessLoop& loop, std::size_t process)
    : backend_(backend), loop_(loop), process_(process) {}
LookUps::~LookUps() = default;

LookUps::Fate LookUps::DrawFate() {
  const std::uint64_t trouble = backend_.parts.weather.scenario.backend.trouble;
  if (!backend_.parts.weather.Strikes(trouble)) return Fate::kAnswered;
  return backend_.parts.weather.draw.OneOf(
      {Fate::kServerError, Fate::kTimeout, Fate::kTruncated, Fate::kTooLarge});
}

std::unique_ptr<ports::UpstreamCall> LookUps::Send(const http::RequestHead& head,
                                                   ports::UpstreamEvents& events) {
  Running& running = *running_.emplace_back(std::make_unique<Running>());
  running.asker = &backend_.parts.ledger.AttemptOf(head);
  running.events = &events;
  running.fate = DrawFate();
  const Scenario& scenario = backend_.parts.weather.scenario;
  const Intent& intent = *running.asker->intent;
  const std::string client = scenario.authenticates ? intent.client : "";
  if (head.target != "/effects/" + client + "/" + intent.key) {
    backend_.parts.auditor.Fail("a look-up asked for another key");
  }
  backend_.parts.trace.Say([&](auto& out) {
    out << "p" << process_ << "       looks up " << head.target << " for attempt "
        << running.asker->number;
  });
  Draw& draw = backend_.parts.weather.draw;
  backend_.parts.timeline.After(draw.Between(microseconds(200), milliseconds(500)),
                                [this, &running] { Receive(running); });
  return std::make_unique<Handle>(running);
}

// The look-up is at the backend, even if no one waits for it any more.
void LookUps::Receive(Running& running) {
  running.fields.Add("Content-Type", "application/json");
  if (running.fate == Fate::kServerError) {
    running.status = 500;
  } else {
    Show(running);
  }
  backend_.parts.trace.Say([&](auto& out) {
    out << "backend  answers the look-up of attempt " << running.asker->number << " with "
        << running.status << (running.fate == Fate::kAnswered ? "" : ", in trouble");
  });
  RespondLater(running);
}

// Each result is its own response, and every caller that gets it gets the same.
void LookUps::Show(Running& running) {
  const Effect* effect = backend_.Shown(*running.asker->intent);
  if (effect == nullptr) {
    running.status = 404;
    return;
  }
  Ledger& ledger = backend_.parts.ledger;
  Call& call = ledger.calls.emplace_back();
  call.number = ledger.calls.size();
  call.attempt = running.asker;
  call.shows = effect->call;
  call.status = backend_.parts.weather.scenario.policy.reconcile->found;
  call.fields = running.fields;
  call.fields.Add("X-Call", std::to_string(call.number));
  call.fields.Add("Set-Cookie", "seen=" + std::to_string(call.number));
  call.body = "{\"effect\":" + std::to_string(effect->number) + "}";
  call.answered = running.fate == Fate::kAnswered;
  running.status = 200;
  running.fields = call.fields;
  running.body = call.body;
  if (running.fate == Fate::kTooLarge) running.body.append(300, 'x');
}

void LookUps::RespondLater(Running& running) {
  Draw& draw = backend_.parts.weather.draw;
  const bool hangs = running.fate == Fate::kTimeout;
  const Duration way = hangs ? kResponseTimeout : draw.Between(microseconds(50), milliseconds(20));
  loop_.Arrive(way, [this, &running] { Respond(running); });
}

// The receiver may drop the call in each event.
void LookUps::Respond(Running& running) {
  const auto count = [&](LookedUp row) {
    if (running.events != nullptr) backend_.parts.coverage.Count(row);
  };
  const auto fail = [&](UpstreamProblem problem) {
    if (running.events == nullptr) return;
    running.events->OnUpstreamFailure({problem, Delivery::kMaybeSent, "simulated"});
  };
  if (running.fate == Fate::kTimeout) {
    count(LookedUp::kTimeout);
    return fail(UpstreamProblem::kTimeout);
  }
  if (running.status == 500) count(LookedUp::kServerError);
  if (running.status == 404 && running.fate != Fate::kTruncated) count(LookedUp::kNotThere);
  if (running.status == 200) {
    count(running.fate == Fate::kTruncated  ? LookedUp::kTruncated
          : running.fate == Fate::kTooLarge ? LookedUp::kTooLarge
                                            : LookedUp::kFound);
  }
  http::ResponseHead head;
  head.status = running.status;
  head.fields = running.fields;
  head.body = http::BodyLength::Known(running.body.size());
  if (running.events != nullptr) running.events->OnUpstreamHead(head);
  const bool cut = running.fate == Fate::kTruncated;
  const std::string_view body = running.body;
  const std::string_view sent = cut ? body.substr(0, body.size() / 2) : body;
  if (running.events != nullptr && !sent.empty()) running.events->OnUpstreamBody(sent);
  if (cut) return fail(UpstreamProblem::kReset);
  if (running.events != nullptr) running.events->OnUpstreamEnd();
}

}  // namespace idem::simulation
